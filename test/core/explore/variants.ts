// Broken variants of the pure core, each without one thing that keeps a law: an exploration that does not notice it is
// missing proves nothing. A variant wraps a real function and changes as little as it can.
import { act, begin, type Decision } from '../../../src/core/decision.ts';
import type { MachineFacts } from '../../../src/core/facts.ts';
import type { VirtualMachine } from '../../../src/core/objects.ts';
import { limits } from '../circumstances.ts';
import type { Scope } from './scopes.ts';
import { type Core, realCore } from './testedCore.ts';

export interface Variant {
  /** What is left out. */
  readonly without: string;
  /** The scope in which it is to be noticed. */
  readonly scope: Scope;
  /** How the law that it breaks begins; `stuck`: a migration does not end. */
  readonly breaks: string;
  readonly core: Core;
}

const withFacts = (change: (facts: MachineFacts) => MachineFacts): Core => ({
  ...realCore,
  factsOf: (view) => change(realCore.factsOf(view)),
});

/** Whether and as what a decision is replaced. */
const withDecision = (change: (decision: Decision, facts: MachineFacts) => Decision): Core => ({
  ...realCore,
  decide: (facts, circumstances) => change(realCore.decide(facts, circumstances), facts),
});

const isKind = (decision: Decision, kind: string): boolean => decision.commands[0]?.kind === kind;

const recordsFor = (decision: Decision, why: string): boolean => {
  const [command] = decision.commands;
  return command?.kind === 'record' && command.why === why;
};

const nothing = (decision: Decision): Decision => ({ ...decision, commands: [], begins: false, waitingFor: 'nothing' });

const sinceNow = ({ view: { machine } }: MachineFacts): VirtualMachine | undefined =>
  machine && { ...machine, offSince: machine.resourceVersion, offSinceMs: 0 };

const hold = (facts: MachineFacts): MachineFacts => ({ ...facts, foreignPods: [], podsOnTarget: [] });

const plain = {
  machines: 1,
  disks: 1,
  strategies: ['Always'],
  people: [],
  acts: 1,
  faults: 0,
  behind: 1,
  limits,
} as const;
const ends: Scope = { ...plain, name: 'a machine that is on ends', people: ['shutDown', 'deleteVmi'] };
const moves: Scope = { ...ends, name: 'a machine is moved to another node', people: ['move', 'shutDown'] };
const stopped: Scope = { ...plain, name: 'a machine that is on is stopped' };
const flaps: Scope = { ...plain, name: 'a machine that is off is started', strategies: ['Halted'], acts: 2 };
const manual: Scope = { ...ends, name: 'a machine is run by hand', strategies: ['Manual'], people: ['shutDown'] };
const lateViews: Scope = { ...ends, name: 'two kinds are late', behind: 2 };
const laterViews: Scope = { ...stopped, name: 'three kinds are late', behind: 3 };
const restarts: Scope = { ...ends, name: 'the daemon is started again', faults: 1 };
const lost: Scope = { ...flaps, name: 'a write goes unanswered', acts: 1, faults: 1 };
const twoDisks: Scope = { ...plain, name: 'two disks', disks: 2, strategies: ['Halted'] };
const deletion: Scope = {
  ...plain,
  name: 'the StorageMigration is deleted',
  strategies: ['Halted'],
  people: ['deleteMigration'],
};

export const variants: readonly Variant[] = [
  {
    without: 'the revert when the guest ends',
    scope: ends,
    breaks: 'law 3',
    core: withDecision((decision) => (isKind(decision, 'revert') ? nothing(decision) : decision)),
  },
  {
    without: 'doing the revert at once: it waits for clearance',
    scope: ends,
    breaks: 'law',
    core: {
      ...realCore,
      decide: (facts, circumstances) => {
        const decision = realCore.decide(facts, circumstances);
        return isKind(decision, 'revert')
          ? begin(decision.phase, circumstances.clearance, ...decision.commands)
          : decision;
      },
    },
  },
  {
    without: 'believing the switch-over',
    scope: ends,
    breaks: 'law',
    core: withFacts((facts) => (facts.switchOver.kind === 'seen' ? { ...facts, switchOver: { kind: 'no' } } : facts)),
  },
  {
    without: 'telling the hand-over to the nodes from the switch-over',
    scope: ends,
    breaks: 'law 4: a switch-over is recorded that has not been',
    core: withFacts((facts) => {
      const state = facts.view.instance?.migrationState;
      const isOurs = state !== undefined && facts.sameInstance && facts.spec === 'target';
      if (!isOurs || facts.record?.switchedOver !== undefined) return facts;
      const { migrationUid, startTimestamp: at } = state;
      return { ...facts, switchOver: { kind: 'seen', vmiUid: facts.record?.live?.vmiUid ?? '', migrationUid, at } };
    }),
  },
  {
    without: 'doubting an end that was not watched',
    scope: restarts,
    breaks: 'law',
    core: withFacts((facts) =>
      facts.switchOver.kind === 'unknown' ? { ...facts, switchOver: { kind: 'no' } } : facts,
    ),
  },
  {
    without: 'the proof that the machine was off since the copy began',
    scope: flaps,
    breaks: 'law 5',
    core: withFacts((facts) => ({ ...facts, offSinceCopyBegan: facts.record?.offline !== undefined })),
  },
  {
    without: 'waiting for the copy pods to be gone before a live migration',
    scope: flaps,
    breaks: 'law 1',
    core: {
      ...realCore,
      decide: (facts, circumstances) =>
        realCore.decide(
          facts.guest.kind === 'running'
            ? { ...facts, copyPods: [], view: { ...facts.view, endingCopyPods: [] } }
            : facts,
          circumstances,
        ),
    },
  },
  {
    without: 'waiting for the copy pods to be gone before a cut-over',
    scope: flaps,
    breaks: 'law 1',
    core: withDecision((decision, facts) => {
      const { record } = facts;
      const waits = decision.phase === 'CuttingOver' && decision.waitingFor.startsWith('the copy pods');
      if (!waits || record === undefined || facts.view.machine === undefined) return decision;
      const cutOver = { resourceVersion: facts.view.machine.resourceVersion, at: '' };
      if (record.cutOver?.resourceVersion === cutOver.resourceVersion) {
        return { ...act('CuttingOver', { kind: 'cutOver' }), begins: true };
      }
      return act('CuttingOver', { kind: 'record', why: 'cutOverBegins', record: { ...record, cutOver } });
    }),
  },
  {
    without: 'waiting for foreign pods to let go before a copy',
    scope: manual,
    breaks: 'law 1',
    core: withFacts(hold),
  },
  {
    without: 'waiting for a VMI that is there to be gone before a copy',
    scope: stopped,
    breaks: 'law 1',
    core: withFacts((facts) =>
      facts.guest.kind === 'ending' && facts.view.machine?.runStrategy === 'Halted'
        ? { ...hold(facts), unfinished: [], guest: { kind: 'off', sign: '' } }
        : facts,
    ),
  },
  {
    without: 'telling that a machine starts by itself, in facts and in the fold of the store',
    scope: flaps,
    breaks: 'law',
    core: withFacts((facts) =>
      facts.guest.kind === 'starting' && facts.view.instance === undefined
        ? {
            ...facts,
            guest: { kind: 'off', sign: '' },
            view: { ...facts.view, machine: sinceNow(facts) },
            offSinceCopyBegan: true,
          }
        : facts,
    ),
  },
  {
    without: 'copying every disk before a cut-over',
    scope: twoDisks,
    breaks: 'law 5',
    core: {
      ...realCore,
      decide: (facts, circumstances) => {
        const { record } = facts;
        const offline = record?.offline;
        if (record === undefined || offline === undefined || offline.copied.length === 0) {
          return realCore.decide(facts, circumstances);
        }
        const copied = record.disks.map((disk) => disk.volume);
        const allCopied = { ...facts, copyPods: [], record: { ...record, offline: { ...offline, copied } } };
        return realCore.decide(allCopied, circumstances);
      },
    },
  },
  {
    without: 'clearance',
    scope: lost,
    breaks: 'law',
    core: { ...realCore, clearance: () => true },
  },
  {
    without: 'the version that guards a cut-over',
    scope: flaps,
    breaks: 'law 2',
    core: {
      ...realCore,
      patchToTarget: (machine, record) =>
        realCore.patchToTarget(machine, record).filter(({ path }) => path !== '/metadata/resourceVersion'),
    },
  },
  {
    without: 'strategy Replacement in a repair of the VMI that has switched over',
    scope: lateViews,
    breaks: 'law 2',
    core: { ...realCore, patchRepair: (machine, record) => realCore.patchRepair(machine, record, 'Migration') },
  },
  {
    without: 'the repair after a cancel that lost',
    scope: lateViews,
    breaks: 'stuck',
    core: withDecision((decision) => (isKind(decision, 'repair') ? nothing(decision) : decision)),
  },
  {
    without: 'the record of a live migration before it is begun',
    scope: ends,
    breaks: 'law 8',
    core: withDecision((decision) =>
      recordsFor(decision, 'liveBegins') ? { ...decision, commands: [{ kind: 'startLive' }] } : decision,
    ),
  },
  {
    without: 'the launcher being seen before a live migration',
    scope: lateViews,
    breaks: 'stuck',
    core: withFacts((facts) => (facts.launcher === 'none' ? { ...facts, launcher: 'source' } : facts)),
  },
  {
    without: 'the last look at the VMI before volumes are patched',
    scope: lateViews,
    breaks: 'law 2',
    core: { ...realCore, isStillMovable: () => true },
  },
  {
    without: 'clearance before a machine is called moved',
    scope: laterViews,
    breaks: 'law 4',
    core: {
      ...realCore,
      decide: (facts, circumstances) => {
        const decision = realCore.decide(facts, { ...circumstances, clearance: { kind: 'clear' } });
        return recordsFor(decision, 'completed')
          ? { ...decision, begins: false }
          : realCore.decide(facts, circumstances);
      },
    },
  },
  {
    without: 'telling a move to another node from the switch-over',
    scope: moves,
    breaks: 'law 4',
    core: {
      ...realCore,
      factsOf: (view) => {
        const facts = realCore.factsOf(view);
        const state = view.instance?.migrationState;
        const live = facts.record?.live;
        if (live === undefined || state === undefined || !facts.sameInstance) return facts;
        if (state.targetNodeDomainReadyTimestamp === '' || facts.record?.switchedOver !== undefined) return facts;
        const { migrationUid, targetNodeDomainReadyTimestamp: at } = state;
        return { ...facts, switchOver: { kind: 'seen', vmiUid: live.vmiUid, migrationUid, at } };
      },
    },
  },
  {
    without: 'waiting for the server to have an address before its clients are made',
    scope: flaps,
    breaks: 'a copy client is made that cannot be told its server',
    core: {
      ...realCore,
      decideGroups: (view, circumstances) =>
        realCore.decideGroups(
          { ...view, pods: view.pods.map((pod) => ({ ...pod, address: '10.0.0.7' })) },
          circumstances,
        ),
    },
  },
  {
    without: 'deleting copy pods',
    scope: flaps,
    breaks: 'stuck',
    core: {
      ...realCore,
      decideGroups: (view, circumstances) => ({ ...realCore.decideGroups(view, circumstances), ends: [] }),
    },
  },
  {
    without: 'making copy pods',
    scope: flaps,
    breaks: 'stuck',
    core: {
      ...realCore,
      decideGroups: (view, circumstances) => ({ ...realCore.decideGroups(view, circumstances), begins: [] }),
    },
  },
  {
    without: 'undoing before the finalizer goes',
    scope: deletion,
    breaks: 'law 10',
    core: {
      ...realCore,
      decideMigration: (view, finalizer) => {
        const decision = realCore.decideMigration(view, finalizer);
        return view.migration.deleting ? { ...decision, finalizer: 'remove' } : decision;
      },
    },
  },
];
