// Takes a picture of a simulated cluster: what becomes of a row's machines and pods, read from the objects as they are,
// from the disks, and from the modes that the daemon has told of. Pure but for reading; taking one changes nothing.
import type { KubeObject } from '../../kube/api.ts';
import { annotations, labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import { model } from '../kubevirt/model.ts';
import type { Pod, Vm, Vmi } from '../kubevirt/objects.ts';
import type { Cast } from '../scenario/milestones.ts';
import type { World } from '../scenario/world.ts';
import type { ContentState, GuestState, ModeState, Picture, PodState } from './score.ts';

type Side = 'A' | 'B';

/** B only if every disk of the migration is on it. */
const sideOf = (claims: readonly string[], { disks }: Cast): Side =>
  disks.every(({ target }) => claims.includes(target)) ? 'B' : 'A';

/** What a guest does, from its VM, its VMI and the claims it really runs on, if it runs. */
export const guestState = (
  cast: Cast,
  vm: KubeObject | undefined,
  instance: KubeObject | undefined,
  runsOn: readonly string[] | undefined,
): GuestState => {
  if (instance === undefined) {
    const volumes = model.maybe<Vm>(vm)?.spec.template.spec.volumes ?? [];
    return `off ${sideOf(volumes.map(model.claimOf), cast)}`;
  }
  const { metadata, status } = model.as<Vmi>(instance);
  if (metadata.deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') {
    return 'stopping';
  }
  return runsOn === undefined ? 'starting' : `on ${sideOf(runsOn, cast)}`;
};

/** In words, how much of `total` is there when `missing` is not. */
export const contentState = (missing: number, total: number): ContentState => {
  if (missing <= 0) return 'all';
  if (missing >= total) return 'none';
  const share = 1 - missing / total;
  if (share < 0.4) return 'little';
  return share <= 0.6 ? 'half' : 'most';
};

/** Where a pod is between its creation and its end. */
const podState = (object: KubeObject): PodState => {
  const { metadata, status } = model.as<Pod>(object);
  if (metadata.deletionTimestamp !== undefined) return 'ending';
  if (status?.phase === 'Succeeded') return 'succeeded';
  if (status?.phase === 'Failed') return 'failed';
  return status?.phase === 'Running' ? 'running' : 'pending';
};

type PicturedPod = Picture['pods'][number];

/** The pod as it is drawn; undefined for one that is not. */
export const picturedPod = (pod: KubeObject, cast: readonly Cast[]): PicturedPod | undefined => {
  const { metadata } = pod;
  const known = { uid: metadata.uid ?? metadata.name, state: podState(pod) };
  const role = metadata.labels?.[labels.role];
  if (role === roles.server) return { ...known, role: 'server', machine: undefined };
  const named = (name: string | undefined): string | undefined => cast.find((machine) => machine.name === name)?.name;
  if (role === roles.client) {
    return { ...known, role: 'client', machine: named(metadata.annotations?.[annotations.virtualMachine]) };
  }
  if (metadata.labels?.['kubevirt.io'] !== 'virt-launcher') return undefined;
  return { ...known, role: 'launcher', machine: named(metadata.annotations?.['kubevirt.io/domain']) };
};

const contentOf = (world: World, machine: Cast): ContentState => {
  const { namespace } = machine;
  const total = machine.disks.reduce((sum, { target }) => sum + world.disks.content(namespace, target).length, 0);
  const missing = machine.disks.reduce(
    (sum, { volume, target }) => sum + world.disks.glance(machine, volume, target),
    0,
  );
  return contentState(missing, total);
};

/** What is what in `cast`, whose machines share a namespace, at this moment. */
export const pictureOf = (world: World, cast: readonly Cast[], modes: ReadonlyMap<string, ModeState>): Picture => {
  const { server } = world;
  return {
    machines: cast.map((machine) => {
      const instance = server.read(resources.virtualMachineInstances, machine);
      const runsOn = world.disks.running(instance?.metadata.uid ?? '')?.map(({ claim }) => claim);
      return {
        name: machine.name,
        guest: guestState(machine, server.read(resources.virtualMachines, machine), instance, runsOn),
        mode: modes.get(machine.name) ?? 'hold',
        content: contentOf(world, machine),
      };
    }),
    pods: server
      .all(resources.pods, cast[0]?.namespace)
      .flatMap((pod) => picturedPod(pod, cast) ?? [])
      .filter(({ role, machine }) => role === 'server' || machine !== undefined),
  };
};
