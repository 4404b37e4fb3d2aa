// All combinations of what can be seen of one machine with one disk, as views. They need not be possible: what late or
// lost events make of the possible ones is among them.
import type { MachineView } from '../../src/core/facts.ts';
import type { Pod, VirtualMachine, VirtualMachineInstance } from '../../src/core/objects.ts';
import type { MigrationRecord, StorageMigrationSpec } from '../../src/core/storageMigration.ts';
import {
  at,
  brokenEnd,
  client,
  entry,
  launcher,
  live,
  offline,
  patched,
  pod,
  record,
  server,
  sourceOf,
  startMs,
  state,
  storageMigration,
  switched,
  switchedOver,
  targetOf,
  view,
  vm,
  vmi,
  vmim,
  wholeEnd,
} from './builders.ts';

export interface Combination {
  readonly view: MachineView;
  /** Copy pods with the label of the migration. */
  readonly pods: readonly Pod[];
  /** The combination in words. */
  readonly label: () => string;
}

type Named<T> = readonly (readonly [name: string, value: T])[];

const quiet: Partial<VirtualMachine> = { offSince: '90', offSinceMs: startMs - 30_000 };
const off: Partial<VirtualMachine> = { ...quiet, created: false };

interface GuestFacts {
  readonly machine: Partial<VirtualMachine>;
  readonly instance?: Partial<VirtualMachineInstance>;
}

const guests: Named<GuestFacts> = [
  ['off, Halted', { machine: { runStrategy: 'Halted', ...off } }],
  ['off, Manual', { machine: { runStrategy: 'Manual', ...off } }],
  [
    'off, Manual with a final VMI',
    { machine: { runStrategy: 'Manual', ...quiet }, instance: { phase: 'Succeeded', ready: false } },
  ],
  ['off, RerunOnFailure', { machine: { runStrategy: 'RerunOnFailure', actedRunStrategy: 'RerunOnFailure', ...off } }],
  ['off, and has run in between', { machine: { runStrategy: 'Halted', ...off, offSince: '95' } }],
  ['start queued', { machine: { runStrategy: 'Manual', requests: ['Start'], created: false } }],
  ['Always without a VMI', { machine: { created: false } }],
  ['Once without a VMI', { machine: { runStrategy: 'Once', created: false } }],
  ['starting', { machine: {}, instance: { phase: 'Scheduling', ready: false } }],
  [
    'starting, Manual',
    { machine: { runStrategy: 'Manual', ...quiet }, instance: { phase: 'Scheduling', ready: false } },
  ],
  ['running', { machine: {}, instance: {} }],
  ['running, Manual', { machine: { runStrategy: 'Manual', ...quiet }, instance: {} }],
  ['running, paused', { machine: {}, instance: { ready: false, paused: true } }],
  ['guest not running', { machine: {}, instance: { ready: false, readyReason: 'GuestNotRunning' } }],
  ['stopped by its owner', { machine: { runStrategy: 'Halted', ...quiet }, instance: {} }],
  ['stop queued', { machine: { runStrategy: 'Manual', requests: ['Stop'], ...quiet }, instance: {} }],
  ['VMI deleted', { machine: {}, instance: { deleting: true } }],
  ['crashed', { machine: {}, instance: { phase: 'Failed', ready: false } }],
  ['node lost', { machine: {}, instance: { phase: 'Unknown', ready: false } }],
  ['unclear', { machine: { runStrategy: 'Halted', ...quiet } }],
];

const specs: Named<string> = [
  ['on A', sourceOf()],
  ['on B', targetOf()],
  ['foreign', 'third'],
];

const whole = offline({ copied: ['root'] });
const failure = { volume: 'root', count: 3, at: at(-60), podUid: 'x', reason: 'PeerSilent', message: 'x' };
const gaveUp = {
  generation: 1,
  reason: 'LiveMigrationFailing',
  message: 'KubeVirt failed to migrate the VMI 5 times. Mend the cause',
};
const cutOver = { resourceVersion: '100', at: at() };
const stages: Named<MigrationRecord | undefined> = [
  ['not accepted', undefined],
  ['accepted', record()],
  ['live recorded', record({ live: live() })],
  ['live patched', record({ live: patched() })],
  ['live followed', record({ live: live({ vmGeneration: 0 }) })],
  ['live of an older migration', record({ live: patched({ knownMigrations: ['vmim-1'] }) })],
  ['live given up', record({ live: patched(), gaveUp })],
  ['given up earlier', record({ live: patched(), gaveUp: { ...gaveUp, generation: 0 } })],
  ['live and a copy', record({ live: patched(), offline: whole, cutOver })],
  ['switched over', record({ live: patched(), switchedOver })],
  ['copying', record({ offline: offline() })],
  ['copying, failed too often', record({ offline: offline({ failures: [failure] }) })],
  ['copied', record({ offline: whole })],
  ['cut-over recorded', record({ offline: whole, cutOver })],
  ['done live', record({ switchedOver, completed: { by: 'Live', at: at() }, seenOnTarget: true })],
  ['done offline', record({ cutOver, completed: { by: 'Offline', at: at() } })],
];

const goals: Named<{ spec: Partial<StorageMigrationSpec>; deleting: boolean }> = [
  ['migrate', { spec: { retention: 'DeleteSource' }, deleting: false }],
  ['pause', { spec: { paused: true }, deleting: false }],
  ['cancel', { spec: {}, deleting: true }],
];

interface Evidence {
  readonly view: Pick<MachineView, 'attempts' | 'lastInstance'>;
  readonly state?: Partial<VirtualMachineInstance>;
}

const none = { attempts: [], lastInstance: undefined };
const ended = vmi({ phase: 'Succeeded', deleting: true });
const evidences: Named<Evidence> = [
  ['no VMIM', { view: none }],
  ['VMIM pending', { view: { ...none, attempts: [vmim({ phase: 'Pending' })] } }],
  ['VMIM running', { view: { ...none, attempts: [vmim()] }, state: { migrationState: state() } }],
  ['VMIM gone, no end', { view: none, state: { migrationState: state() } }],
  [
    'failed',
    {
      view: { ...none, attempts: [vmim({ phase: 'Failed' })] },
      state: { migrationState: state({ endTimestamp: at(3), failed: true }) },
    },
  ],
  [
    'failed five times',
    { view: { ...none, attempts: ['1', '2', '3', '4', '5'].map((uid) => vmim({ uid, phase: 'Failed' })) } },
  ],
  ['switching over', { view: { ...none, attempts: [vmim()] }, state: { migrationState: switched() } }],
  [
    'switched, finished',
    { view: none, state: { nodeName: 'n2', migrationState: switched({ endTimestamp: at(9), completed: true }) } },
  ],
  ['end watched', { view: { ...none, lastInstance: { object: ended, gap: false } } }],
  ['end not watched', { view: { ...none, lastInstance: { object: ended, gap: true } } }],
  [
    'end watched, switched',
    { view: { ...none, lastInstance: { object: { ...ended, migrationState: switched() }, gap: false } } },
  ],
];

const launchers: Named<readonly Pod[]> = [
  ['no launcher', []],
  ['launcher on A', [launcher('source')]],
  ['launcher on B', [launcher('target')]],
  ['both launchers', [launcher('source'), launcher('target')]],
  ['another pod on A', [pod({ claims: [sourceOf()] })]],
];

const copyPods: Named<readonly Pod[]> = [
  ['no copy pod', []],
  ['server', [server()]],
  ['server and client', [server(), client()]],
  ['client whole', [server(), client('web-1', { phase: 'Succeeded', ended: wholeEnd })]],
  [
    'client failed, server going',
    [server(['web-1'], { deleting: true }), client('web-1', { phase: 'Failed', ended: brokenEnd })],
  ],
  ['server of another migration', [server(['web-1'], { migrationUid: 'uid-other' })]],
];

/** During an attempt it only matters whether there are copy pods, and whose. */
const isSettled = ([name]: readonly [string, readonly Pod[]]): boolean =>
  !name.startsWith('client') && name !== 'server';

/** The stages in which it matters whether the VMI is the one that is recorded. */
const isAboutInstance = (found: MigrationRecord | undefined): boolean =>
  found?.live !== undefined || found?.switchedOver !== undefined;

/** All of them, one after the other. */
export function* combinations(): Generator<Combination> {
  const plain = view();
  for (const [goalName, { spec, deleting }] of goals) {
    for (const [stageName, found] of stages) {
      const migration = storageMigration({ records: { 'web-1': found }, spec, deleting });
      for (const [specName, claim] of specs) {
        for (const [guestName, guest] of guests) {
          const machine = vm({
            ...guest.machine,
            volumes: [entry('root', claim)],
            updateVolumesStrategy: claim === sourceOf() ? '' : 'Migration',
          });
          const uids = guest.instance !== undefined && isAboutInstance(found) ? ['vmi-web-1', 'vmi-2'] : ['vmi-web-1'];
          for (const uid of uids) {
            // Without an attempt only a VMIM of somebody else's can be there.
            for (const [evidenceName, evidence] of isAboutInstance(found) ? evidences : evidences.slice(0, 2)) {
              const instance =
                guest.instance === undefined
                  ? undefined
                  : {
                      ...vmi({ on: claim === targetOf() ? 'target' : 'source' }),
                      ...evidence.state,
                      ...guest.instance,
                      uid,
                    };
              for (const [launcherName, found2] of launchers) {
                const ofInstance = found2.map((each) => (each.role === 'launcher' ? { ...each, ownerUid: uid } : each));
                for (const [copyName, copies] of isAboutInstance(found) ? copyPods.filter(isSettled) : copyPods) {
                  yield {
                    view: {
                      ...plain,
                      migration,
                      machine,
                      instance,
                      ...evidence.view,
                      pods: [...ofInstance, ...copies],
                    },
                    pods: copies.filter((each) => each.migrationUid === migration.uid),
                    label: () =>
                      [goalName, stageName, specName, guestName, uid, evidenceName, launcherName, copyName].join(' | '),
                  };
                }
              }
            }
          }
        }
      }
    }
  }
}
