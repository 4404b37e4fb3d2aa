// Recordings that no real cluster has made: scenes played by the simulated KubeVirt and written down as the real ones
// are, so that the replay meets what the recordings beside the repository do not have.
import { KubeFailure, type ObjectRef } from '../../src/kube/api.ts';
import type { KubeVirtOptions } from '../../src/sim/kubevirt/kubeVirt.ts';
import type { NewVm } from '../../src/sim/kubevirt/manifests.ts';
import { live, type World } from './kubevirtWorld.ts';

const watches = new Set([
  'virtualmachines',
  'virtualmachineinstances',
  'virtualmachineinstancemigrations',
  'pods',
  'persistentvolumeclaims',
]);

/** What somebody does in a scene: its words in the recording, and the deed. */
export interface SceneAct {
  readonly atSeconds: number;
  readonly act: string;
  readonly vm: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly perform: (world: World) => void;
}

const ref = (name: string): ObjectRef => ({ namespace: 'default', name });

export const acts = {
  create: (atSeconds: number, vm: NewVm): SceneAct => ({
    atSeconds,
    act: 'create VM',
    vm: vm.name,
    fields: { runStrategy: vm.runStrategy ?? 'Always' },
    perform: ({ user }) => void user.createVm(vm),
  }),
  patch: (atSeconds: number, vm: string, claims: readonly string[], words = 'patch volumes'): SceneAct => {
    const patch = [
      ...claims.map((value, index) => ({
        op: 'replace' as const,
        path: `/spec/template/spec/volumes/${index}/persistentVolumeClaim/claimName`,
        value,
      })),
      { op: 'add' as const, path: '/spec/updateVolumesStrategy', value: 'Migration' },
    ];
    const perform = ({ user }: World) =>
      user.setClaims(ref(vm), Object.fromEntries(claims.map((claim, index) => [`disk${index}`, claim])), 'Migration');
    return { atSeconds, act: words, vm, fields: { patch }, perform };
  },
  stop: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'stop subresource',
    vm,
    perform: ({ user }) => user.stop(ref(vm)),
  }),
  start: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'start subresource',
    vm,
    perform: ({ user }) => user.start(ref(vm)),
  }),
  shutDown: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'guest shuts down',
    vm,
    perform: ({ user }) => user.guestShutdown(ref(vm)),
  }),
  crash: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'guest crashes',
    vm,
    perform: ({ user }) => user.guestCrash(ref(vm)),
  }),
  deleteVmi: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'delete VMI',
    vm,
    perform: ({ user }) => user.deleteVmi(ref(vm)),
  }),
  migrate: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'migrate subresource',
    vm,
    perform: ({ user }) => user.migrate(ref(vm)),
  }),
  hold: (atSeconds: number, vm: string): SceneAct => ({
    atSeconds,
    act: 'node side',
    vm,
    fields: { copy: 'hold' },
    perform: ({ kube }) => kube.nodeSide(ref(vm), { copy: 'hold' }),
  }),
};

/** Plays a scene; the recording of it. */
export const recordingOf = (
  performed: readonly SceneAct[],
  endSeconds: number,
  kubeVirt: KubeVirtOptions = {},
): string => {
  const lines: string[] = [];
  const listen = ({ server }: World): void => {
    server.changes$.subscribe(({ type, resource, object }) => {
      if (!watches.has(resource.plural)) return;
      lines.push(JSON.stringify({ t: server.now(), watch: resource.plural, type: type.toUpperCase(), object }));
    });
  };
  live({ kubeVirt }, [
    [0, listen],
    ...performed.map(({ atSeconds, act, vm, fields, perform }): readonly [number, (world: World) => void] => [
      atSeconds,
      (world) => {
        const note = (line: Readonly<Record<string, unknown>>): void => {
          lines.push(JSON.stringify({ t: world.server.now(), vm, ...line }));
        };
        note({ act, ...fields });
        try {
          perform(world);
        } catch (failure) {
          if (!(failure instanceof KubeFailure)) throw failure;
          note({ act: `${act} answered`, answer: `${failure.code} ${failure.message}` });
        }
      },
    ]),
    [endSeconds, () => undefined],
  ]);
  return lines.join('\n');
};
