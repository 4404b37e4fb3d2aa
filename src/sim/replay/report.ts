// A replay as people read it: one line for each machine and moment at which its facts, its mode or what the daemon would
// do changed, in columns, with the acts of the recording between them.
import type { Command } from '../../core/decision.ts';
import type { MachineFacts } from '../../core/facts.ts';
import type { GroupCommand } from '../../core/groups.ts';
import { modeOf } from '../../core/mode.ts';
import type { RecordedAct } from '../conform/recording.ts';
import { seconds } from './replay.ts';
import type { Told } from './session.ts';

const headings = ['time', 'VM', 'guest', 'VM names', 'guest on', 'switched', 'KubeVirt', 'mode', 'the daemon would'];
const modeColumn = headings.indexOf('mode');

const said = (command: Command): string => {
  switch (command.kind) {
    case 'record':
      return `record ${command.why}`;
    case 'revert':
      return `revert (${command.cause})`;
    case 'createClaim':
      return `createClaim ${command.disk.target}`;
    case 'deleteSource':
      return `deleteSource ${command.disk.source}`;
    case 'startLive':
    case 'repair':
    case 'cutOver':
      return command.kind;
    default:
      return command satisfies never;
  }
};

const saidOfGroup = (command: GroupCommand): string => {
  switch (command.kind) {
    case 'createServer':
      return `createServer for ${command.targets.join(', ')}`;
    case 'createClient':
      return `createClient for ${command.disk.source}`;
    case 'deletePod':
      return `deletePod ${command.pod.name} (${command.cause})`;
    default:
      return command satisfies never;
  }
};

/** What was decided, in words. */
export const decisionText = ({ decision, group }: Pick<Told, 'decision' | 'group'>): string => {
  const { attention, commands, waitingFor, phase } = decision;
  const own =
    attention !== undefined
      ? `ask a person: ${attention.reason}`
      : commands.map(said).join(', ') || (waitingFor === '' ? `nothing (${phase})` : `wait for ${waitingFor}`);
  return [own, ...group.map(saidOfGroup)].join('; group: ');
};

const migrationsText = ({ unfinished, failedAttempts }: MachineFacts): string =>
  [
    ...unfinished.map(({ phase }) => (phase === '' ? 'new' : phase)),
    ...(failedAttempts > 0 ? [`${failedAttempts} failed`] : []),
  ].join(', ');

const switchText = ({ switchOver, record }: MachineFacts): string => {
  if (switchOver.kind === 'no') return '';
  return record?.switchedOver === undefined ? switchOver.kind : 'recorded';
};

const cellsOf = (told: Told): readonly string[] => {
  const { facts, settled } = told;
  const mode = modeOf(facts);
  return [
    facts.name,
    `${facts.guest.kind}: ${facts.guest.sign}`,
    facts.spec ?? '',
    facts.launcher === 'none' ? '' : facts.launcher,
    switchText(facts),
    migrationsText(facts),
    mode === settled ? mode : `${mode} (settling)`,
    decisionText(told),
  ].map((cell) => cell || '-');
};

const actText = ({ fields }: RecordedAct): string => {
  const { t: _, act, vm: __, patch, resourceVersion: ___, ...rest } = fields;
  const details = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const values = Array.isArray(patch)
    ? patch.flatMap(({ op, value }: Record<string, unknown>) => (op === 'test' ? [] : [String(value)]))
    : [];
  return [`> ${String(act)}`, ...details, ...values.map((value) => `to ${value}`)].join(' ');
};

interface Row {
  readonly key: string;
  readonly cells: readonly string[];
}

/** Whether a row says what the one before it said in the same moment, but for a mode that has been left since. */
const isCorrected = (row: Row, before: Row | undefined): boolean =>
  row.key === before?.key && row.cells.every((cell, column) => column === modeColumn || cell === before.cells[column]);

/** The table, line by line. Where nothing changed for a machine there is no line. */
export const reportOf = (told: readonly (Told | RecordedAct)[]): readonly string[] => {
  const before = new Map<string, string>();
  const found: Row[] = [];
  for (const each of told) {
    if ('act' in each) {
      found.push({ key: '', cells: [seconds(each.at), each.vm || '-', actText(each)] });
      continue;
    }
    const cells = cellsOf(each);
    const text = JSON.stringify(cells);
    const key = `${each.key.namespace}/${each.key.machine}`;
    if (before.get(key) === text) continue;
    before.set(key, text);
    const row = { key, cells: [seconds(each.atMs), ...cells] };
    if (isCorrected(row, found.at(-1))) found.pop();
    found.push(row);
  }
  const rows = [headings, ...found.map(({ cells }) => cells)];
  const tables = rows.filter(({ length }) => length === headings.length);
  const widths = headings.map((_, column) => Math.max(...tables.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => {
    const isAct = row.length < headings.length;
    return row
      .map((cell, column) => {
        if (column === 0) return cell.padStart(widths[0] ?? 0);
        return isAct && column > 1 ? cell : cell.padEnd(widths[column] ?? 0);
      })
      .join('  ')
      .trimEnd();
  });
};
