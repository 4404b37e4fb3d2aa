// How the laws look at the cluster: small questions about objects, answered from the API server's own state and from
// what is on the disks. Nothing here knows the daemon.
import type { KubeObject, Resource } from '../../src/kube/api.ts';
import { labels } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import type { Change } from '../../src/sim/cluster.ts';
import type { Cast } from '../../src/sim/scenario/milestones.ts';
import type { World } from '../../src/sim/scenario/world.ts';

/** A VM with its disks: where they are at the start and where they shall be. */
export type Machine = Cast;

type Fields = Readonly<Record<string, unknown>>;

/** A field deep inside an object; undefined where the way is missing. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? (found as Fields)[key] : undefined),
    value,
  );

const listAt = (value: unknown, ...path: readonly string[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

const claimsOfPod = (pod: KubeObject): readonly string[] =>
  listAt(pod, 'spec', 'volumes').flatMap((volume) => {
    const claim = at(volume, 'persistentVolumeClaim', 'claimName');
    return typeof claim === 'string' ? [claim] : [];
  });

const isIn = (object: KubeObject, machine: Machine): boolean => object.metadata.namespace === machine.namespace;

const mountsAny = (pod: KubeObject, machine: Machine): boolean =>
  isIn(pod, machine) &&
  claimsOfPod(pod).some((claim) => machine.disks.some(({ source, target }) => claim === source || claim === target));

const isCopyPod = (object: KubeObject): boolean =>
  object.kind === 'Pod' && object.metadata.labels?.[labels.role] !== undefined;

const isTerminal = (pod: KubeObject): boolean => {
  const phase = at(pod, 'status', 'phase');
  return phase === 'Succeeded' || phase === 'Failed';
};

const claimsIn = (volumes: readonly unknown[]): readonly unknown[] =>
  volumes.map((volume) => at(volume, 'persistentVolumeClaim', 'claimName') ?? at(volume, 'dataVolume', 'name'));

/** On which claims the VM's disks stand by its spec. */
const sideOf = (vm: KubeObject | undefined, machine: Machine): 'source' | 'target' | 'mixed' => {
  const claims = new Set(claimsIn(listAt(vm, 'spec', 'template', 'spec', 'volumes')));
  const onTarget = machine.disks.filter(({ target }) => claims.has(target)).length;
  if (onTarget === 0) return 'source';
  return onTarget === machine.disks.length ? 'target' : 'mixed';
};

const writes = (change: Change, resource: Resource, machine: Machine): boolean =>
  change.resource.plural === resource.plural &&
  change.object.metadata.name === machine.name &&
  isIn(change.object, machine);

const entryOf = (change: Change, machine: Machine): { readonly mode: unknown; readonly phase: unknown } | undefined => {
  if (change.resource.plural !== resources.storageMigrations.plural || !isIn(change.object, machine)) return undefined;
  const entry = listAt(change.object, 'status', 'virtualMachines').find((each) => at(each, 'name') === machine.name);
  return entry === undefined ? undefined : { mode: at(entry, 'mode'), phase: at(entry, 'phase') };
};

/** Questions about one write. */
export const sight = {
  claimsOfPod,
  /** Claims that a VMI names. */
  claimsOf: (vmi: KubeObject): readonly unknown[] => claimsIn(listAt(vmi, 'spec', 'volumes')),
  mountsAny,
  isCopyPod,
  isTerminal,
  sideOf,
  writes,
  entryOf,
  movedTo: (side: 'source' | 'target', { previous, object }: Change, machine: Machine): boolean =>
    previous !== undefined && sideOf(object, machine) === side && sideOf(previous, machine) !== side,
  isDeletion: ({ type, object, previous }: Change): boolean =>
    type === 'deleted' ||
    (object.metadata.deletionTimestamp !== undefined && previous?.metadata.deletionTimestamp === undefined),
  isClaimOf: ({ resource, object }: Change, machine: Machine): boolean =>
    resource.plural === 'persistentvolumeclaims' &&
    isIn(object, machine) &&
    machine.disks.some(({ source, target }) => object.metadata.name === source || object.metadata.name === target),
  isSomebodys: ({ object }: Change, cast: readonly Machine[]): boolean =>
    cast.some(
      (machine) => isIn(object, machine) && machine.disks.some(({ source }) => source === object.metadata.name),
    ),
  /** The write is to the VM, or to a pod or claim of it; not our own notes about it. */
  isAbout: (change: Change, machine: Machine): boolean =>
    writes(change, resources.virtualMachines, machine) ||
    (change.resource.plural === 'pods' && mountsAny(change.object, machine)) ||
    sight.isClaimOf(change, machine),
  describe: ({ type, object, resource }: Change): string => `${type} ${resource.plural}/${object.metadata.name}`,
} as const;

export interface Obstacle {
  readonly uid: string;
  readonly what: string;
}

/** Questions about the cluster as it stands. */
export interface Sight {
  readonly cast: readonly Machine[];
  vm(machine: Machine): KubeObject | undefined;
  instance(machine: Machine): KubeObject | undefined;
  /** The VMI is Running and not being deleted. */
  instanceRuns(machine: Machine): boolean;
  /** The VMI is final, nothing deletes it, and all its pods have ended: it lies there and never runs again (contract §4.4). */
  hasEnded(machine: Machine): boolean;
  unfinishedMigrations(machine: Machine): readonly string[];
  /** The VMI has virt-launchers, and all of them are on the targets: it runs there, or will. */
  standsOnTarget(machine: Machine): boolean;
  copyPodsOn(machine: Machine): readonly string[];
  obstaclesToRsync(machine: Machine): readonly Obstacle[];
  /** Blocks of a claim that are not what the guest wrote last. */
  missing(machine: Machine, volume: string, claim: string): number;
  deletesSources(machine: Machine): boolean;
}

export const sightOf = (world: World, cast: readonly Machine[]): Sight => {
  const { server, disks } = world;
  const ref = ({ namespace, name }: Machine) => ({ namespace, name });
  const pods = (machine: Machine): readonly KubeObject[] => server.all(resources.pods, machine.namespace);
  const instance = (machine: Machine) => server.read(resources.virtualMachineInstances, ref(machine));
  const isFinal = (vmi: KubeObject): boolean => ['Succeeded', 'Failed'].includes(String(at(vmi, 'status', 'phase')));
  const hasEnded = (machine: Machine): boolean => {
    const vmi = instance(machine);
    if (vmi === undefined || !isFinal(vmi) || vmi.metadata.deletionTimestamp !== undefined) return false;
    return pods(machine).every(
      (pod) =>
        isTerminal(pod) || pod.metadata.ownerReferences?.every((owner) => owner.uid !== vmi.metadata.uid) !== false,
    );
  };
  const unfinished = (machine: Machine): readonly KubeObject[] =>
    server
      .all(resources.virtualMachineInstanceMigrations, machine.namespace)
      .filter((vmim) => at(vmim, 'spec', 'vmiName') === machine.name)
      .filter((vmim) => !['Succeeded', 'Failed'].includes(String(at(vmim, 'status', 'phase'))));
  return {
    cast,
    vm: (machine) => server.read(resources.virtualMachines, ref(machine)),
    instance,
    instanceRuns: (machine) => {
      const vmi = instance(machine);
      return (
        vmi !== undefined && at(vmi, 'status', 'phase') === 'Running' && vmi.metadata.deletionTimestamp === undefined
      );
    },
    hasEnded,
    unfinishedMigrations: (machine) => unfinished(machine).map(({ metadata }) => metadata.uid ?? ''),
    standsOnTarget: (machine) => {
      const ownedBy = (uid: string | undefined): readonly KubeObject[] =>
        pods(machine).filter(
          (pod) => !isTerminal(pod) && pod.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true,
        );
      const launchers = ownedBy(instance(machine)?.metadata.uid);
      const targets = new Set(machine.disks.map(({ target }) => target));
      // A hotplugged disk is under a launcher although another pod mounts its claim (contract §2.5).
      const under = (pod: KubeObject) => [pod, ...ownedBy(pod.metadata.uid)].flatMap(claimsOfPod);
      return launchers.length > 0 && launchers.every((pod) => under(pod).some((claim) => targets.has(claim)));
    },
    copyPodsOn: (machine) =>
      pods(machine)
        .filter((pod) => isCopyPod(pod) && mountsAny(pod, machine))
        .map(({ metadata }) => metadata.name),
    obstaclesToRsync: (machine) => {
      const vmi = instance(machine);
      const named = (kind: string, object: KubeObject): Obstacle => ({
        uid: object.metadata.uid ?? '',
        what: `${kind} ${object.metadata.name}`,
      });
      return [
        ...(vmi === undefined || hasEnded(machine) ? [] : [named('VMI', vmi)]),
        ...unfinished(machine).map((vmim) => named('VMIM', vmim)),
        ...pods(machine)
          .filter((pod) => !isCopyPod(pod) && !isTerminal(pod) && mountsAny(pod, machine))
          .map((pod) => named('pod', pod)),
      ];
    },
    missing: (machine, volume, claim) => disks.missing(ref(machine), volume, claim),
    deletesSources: (machine) =>
      server
        .all(resources.storageMigrations, machine.namespace)
        .some(
          (migration) =>
            at(migration, 'spec', 'retention') === 'DeleteSource' &&
            listAt(migration, 'spec', 'virtualMachines').some((each) => at(each, 'name') === machine.name),
        ),
  };
};
