// Which commands of a transfer group are about one of its members: a judge looks at one machine at a time.
import type { MachineFacts } from '../../core/facts.ts';
import type { GroupCommand, GroupDecision } from '../../core/groups.ts';
import type { MachineKey } from '../../core/reading.ts';

/** What of a group's decision is about one of its members. */
export const concerning = (
  members: readonly MachineFacts[],
  { machine }: MachineKey,
  { ends, begins }: GroupDecision,
): readonly GroupCommand[] => {
  const disks = members.find(({ name }) => name === machine)?.record?.disks ?? [];
  const claims = disks.flatMap(({ source, target }) => [source, target]);
  return [...ends, ...begins].filter((command) => {
    switch (command.kind) {
      case 'createServer':
        return command.targets.some((target) => claims.includes(target));
      case 'createClient':
        return command.machine === machine;
      case 'deletePod':
        return command.pod.vmName === machine || command.pod.claims.some((claim) => claims.includes(claim));
      default:
        return command satisfies never;
    }
  });
};
