// The laws of the daemon on one page, as properties of a single decision: whatever the facts are, a decision that is
// named here must not come out of them. Used by the enumeration of all facts and by every run of the small world.
import type { Command, Decision } from '../../src/core/decision.ts';
import type { MachineFacts } from '../../src/core/facts.ts';
import type { GroupDecision, GroupView } from '../../src/core/groups.ts';
import { isFinal, startCause } from '../../src/core/guest.ts';
import { modeOf } from '../../src/core/mode.ts';
import type { MigrationRecord } from '../../src/core/storageMigration.ts';
import { limits } from './circumstances.ts';

type Law = readonly [rule: string, isBroken: boolean];

const brokenOf = (laws: readonly Law[]): readonly string[] =>
  laws.flatMap(([rule, isBroken]) => (isBroken ? [rule] : []));

/** Whether the recorded live migration may still be taken back, and a sign says that its guest is ending (law 3). */
const mustRevert = (facts: MachineFacts): boolean =>
  facts.identity === 'same' &&
  facts.view.unreadable.length === 0 &&
  facts.record?.live !== undefined &&
  facts.record.completed === undefined &&
  facts.switchOver.kind === 'no' &&
  (facts.spec === 'target' || facts.spec === 'mixed') &&
  (facts.view.instance === undefined || facts.sameInstance) &&
  facts.guest.kind !== 'running';

const aboutRecord = (
  facts: MachineFacts,
  before: MigrationRecord,
  command: Command & { kind: 'record' },
): readonly Law[] => {
  const after = command.record;
  const vouched = facts.switchOver.kind === 'unknown' && facts.view.machine?.updateVolumesStrategy !== 'Migration';
  const neverPatched = facts.view.machine?.generation === before.live?.vmGeneration;
  return [
    ['a record stays about the same machine and disks', after.vmUid !== before.vmUid || after.disks !== before.disks],
    ['a switch-over is never forgotten', before.switchedOver !== undefined && after.switchedOver === undefined],
    [
      'done by Live only after a switch-over or on a person’s word',
      command.why === 'completed' && after.completed?.by === 'Live' && before.switchedOver === undefined && !vouched,
    ],
    [
      'done by Offline only with a cut-over, on the target',
      command.why === 'completed' &&
        after.completed?.by === 'Offline' &&
        (before.cutOver === undefined || facts.spec !== 'target' || before.live !== undefined),
    ],
    [
      'an attempt is forgotten only when KubeVirt has let go of it',
      command.why === 'liveEnded' && (facts.switchOver.kind !== 'no' || (facts.unfinished.length > 0 && !neverPatched)),
    ],
    [
      'the sources are called whole only where that is certain',
      command.why === 'endSeen' && facts.switchOver.kind !== 'no',
    ],
    [
      'no attempt and no copy at once',
      after.live !== undefined && after.offline !== undefined && before.offline === undefined,
    ],
  ];
};

/** Nobody's word is anticipated by it: both disks stay as they are. */
const keepsSource = (command: Command): boolean => command.kind === 'repair' && command.strategy === 'Migration';

/** The laws about one command for one machine. */
const aboutCommand = (facts: MachineFacts, command: Command, now: number): readonly Law[] => {
  const { record, view, spec, guest, goal, launcher } = facts;
  if (record === undefined) return [['nothing is done about a machine that is not accepted', true]];
  const { machine, instance } = view;
  const { offline, live } = record;
  const over = record.switchedOver !== undefined || facts.switchOver.kind !== 'no';
  const someoneElse = facts.foreignPods.length > 0 || facts.unfinished.length > 0;
  switch (command.kind) {
    case 'startLive':
      return [
        ['1: no live migration beside a copy pod', facts.copyPods.length > 0 || view.endingCopyPods.length > 0],
        ['2: live only from A', spec !== 'source' || launcher === 'target' || launcher === 'mixed'],
        ['4: no live migration after the switch-over', over || record.completed !== undefined],
        [
          '8: recorded before it is begun',
          live?.vmiUid !== instance?.uid || live?.vmGeneration !== machine?.generation,
        ],
        ['live only under a running guest', guest.kind !== 'running' || instance?.phase !== 'Running'],
        [
          'live only when nothing holds B and nothing migrates',
          facts.podsOnTarget.length > 0 || facts.unfinished.length > 0,
        ],
        ['nothing is started that is not asked for', goal !== 'migrate'],
        ['no copy is recorded beside it', offline !== undefined],
      ];
    case 'revert':
      return [
        ['4: never revert after the switch-over', over || record.completed !== undefined],
        ['revert only what was begun', live === undefined],
        ['revert only what names B', spec !== 'target' && spec !== 'mixed'],
        ['no revert under a guest that was booted on B', instance?.uid !== live?.vmiUid && launcher !== 'none'],
      ];
    case 'repair':
      if (command.strategy === 'Migration') {
        return [
          ['2: under the same VMI only a switch-over moves the guest to B', facts.sameInstance],
          ['2: A is kept from a guest on B alone', spec !== 'source' || launcher === 'source' || launcher === 'none'],
        ];
      }
      return [
        ['4: repair only after a switch-over that is recorded', record.switchedOver === undefined || spec === 'target'],
      ];
    case 'cutOver':
      return [
        ['5: every disk is copied', record.disks.some((disk) => offline?.copied.includes(disk.volume) !== true)],
        ['5: off since the copy began', guest.kind !== 'off' || !facts.offSinceCopyBegan],
        ['5: nobody else has a hand on it', someoneElse || facts.copyPods.length > 0],
        [
          '5: quiet',
          now - Math.max(machine?.offSinceMs ?? now, Date.parse(offline?.startedAt ?? '')) < limits.cutOverQuietMs,
        ],
        ['5: guarded by the recorded version', record.cutOver?.resourceVersion !== machine?.resourceVersion],
        ['5: from A, with no attempt open', spec !== 'source' || live !== undefined || over],
        ['nothing is finished that is not asked for', goal !== 'migrate'],
      ];
    case 'createClaim':
      return [['claims are made for what is asked for', goal !== 'migrate' || over || spec !== 'source']];
    case 'deleteSource':
      return [
        ['10: sources go only where asked for', view.migration.spec.retention !== 'DeleteSource' || goal !== 'migrate'],
        ['10: sources go only after the machine was seen on B', record.completed === undefined || !record.seenOnTarget],
        [
          '10: sources go only while it runs on B',
          guest.kind !== 'running' || launcher !== 'target' || spec !== 'target',
        ],
        ['10: only the very claim goes', view.claim(command.disk.source)?.uid !== command.disk.sourceUid],
      ];
    case 'record':
      return aboutRecord(facts, record, command);
    default:
      return command satisfies never;
  }
};

/** Laws that the decision about one machine breaks: `clear` with clearance, `held` without. */
export const brokenByDecision = (
  facts: MachineFacts,
  clear: Decision,
  held: Decision,
  now: number,
): readonly string[] => {
  const mode = modeOf(facts);
  const { machine, instance } = facts.view;
  const [first] = clear.commands;
  const concludes = first?.kind === 'record' && ['liveEnded', 'completed', 'copyVoid'].includes(first.why);
  const laws: readonly Law[] = [
    ...clear.commands.flatMap((command) => aboutCommand(facts, command, now)),
    ['3: the first write on a sign of an end is the revert', mustRevert(facts) && first?.kind !== 'revert'],
    [
      '6: offline only when nothing starts it',
      mode === 'offline' && (machine === undefined || startCause(machine) !== ''),
    ],
    ['6: offline only without a VMI that may run', mode === 'offline' && instance !== undefined && !isFinal(instance)],
    [
      '7: unknown means hands off',
      facts.switchOver.kind === 'unknown' && first !== undefined && first.kind !== 'record' && !keepsSource(first),
    ],
    ['9: nothing begins without clearance', held.begins || (clear.begins && held.commands.length > 0)],
    ['9: what ends or undoes needs no clearance', !clear.begins && held.commands.length !== clear.commands.length],
    ['nothing begins in hold', mode === 'hold' && clear.begins && !concludes],
    ['another machine under the name is not touched', facts.identity !== 'same' && clear.commands.length > 0],
    [
      'never silent: a command, a thing that is waited for, or an end',
      clear.commands.length === 0 && clear.waitingFor === '' && clear.phase !== 'Moved' && clear.phase !== 'Cancelled',
    ],
    ['attention says what can be done', clear.attention !== undefined && clear.attention.message.length < 40],
  ];
  return brokenOf(laws);
};

/** Laws that the decision about the copy pods breaks. */
export const brokenByGroups = (view: GroupView, decision: GroupDecision): readonly string[] => {
  const laws: Law[] = [];
  const mayCopy = (facts: MachineFacts | undefined): boolean =>
    facts !== undefined &&
    modeOf(facts) === 'offline' &&
    facts.guest.kind === 'off' &&
    facts.goal === 'migrate' &&
    facts.spec === 'source' &&
    facts.switchOver.kind === 'no' &&
    facts.record?.offline !== undefined &&
    facts.offSinceCopyBegan &&
    facts.foreignPods.length === 0 &&
    facts.unfinished.length === 0;
  for (const command of decision.ends) {
    const isOurs = command.kind === 'deletePod' && command.pod.migrationUid === view.migration.uid;
    laws.push(['10: only pods with our label and uid go', !isOurs]);
  }
  for (const command of decision.begins) {
    switch (command.kind) {
      case 'createServer': {
        const served = view.members.filter((facts) =>
          facts.record?.disks.some((disk) => command.targets.includes(disk.target)),
        );
        laws.push(['1: a server only for machines that are off', served.length === 0 || !served.every(mayCopy)]);
        laws.push(['1: no second pod on a target', served.some((facts) => facts.copyPods.length > 0)]);
        break;
      }
      case 'createClient': {
        const facts = view.members.find((member) => member.name === command.machine);
        const others = facts?.copyPods.filter((pod) => pod.claims.includes(command.disk.source)) ?? [];
        laws.push(['1: a client only for a machine that is off', !mayCopy(facts)]);
        laws.push(['1: one client for a disk', others.length > 0]);
        laws.push([
          'a client only for a server that is up and mounts its target',
          command.server.deleting || !command.server.claims.includes(command.disk.target),
        ]);
        laws.push([
          'a client only for what is not copied',
          facts?.record?.offline?.copied.includes(command.disk.volume) === true,
        ]);
        laws.push(['a client copies for the recorded copy', facts?.record?.offline?.id !== command.copyId]);
        break;
      }
      case 'deletePod':
        laws.push(['a deletion is no beginning', true]);
        break;
      default:
        command satisfies never;
    }
  }
  return brokenOf(laws);
};
