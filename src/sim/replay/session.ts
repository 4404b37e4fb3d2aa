// One process of the daemon over a recorded cluster: the real streams and the real core, and in place of the effects
// only this: records are written, everything else is judged and told. What the machines do is on the tape.
import {
  asyncScheduler,
  concat,
  defer,
  EMPTY,
  from,
  groupBy,
  mergeMap,
  type Observable,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import { decide } from '../../core/decide.ts';
import type { Decision, Limits } from '../../core/decision.ts';
import type { MachineFacts } from '../../core/facts.ts';
import { decideGroups, type GroupCommand } from '../../core/groups.ts';
import type { Mode } from '../../core/mode.ts';
import { keyText, type MachineKey, type Reading } from '../../core/reading.ts';
import { clearanceFor } from '../../effects/clearance.ts';
import { ownWrites } from '../../effects/ownWrites.ts';
import { machinesOf } from '../../streams/machines.ts';
import { type ModesOptions, modesOf } from '../../streams/modes.ts';
import { readingOf } from '../../streams/reading.ts';
import { type Snapshot, snapshotOf } from '../../streams/snapshot.ts';
import { unseenMs } from '../../streams/unseenMs.ts';
import type { WatchKindOptions } from '../../streams/watchKind.ts';
import type { RecordedCluster } from './cluster.ts';
import { concerning } from './concerning.ts';
import { demandsOn } from './demands.ts';
import { type Bounds, broken, type Decided } from './laws.ts';
import type { Script } from './script.ts';
import { seenSoFar } from './seen.ts';

export interface SessionOptions extends ModesOptions {
  readonly watch: WatchKindOptions;
  readonly auditMs: number;
  readonly startupHoldMs: number;
  readonly limits: Limits;
  /** Something that must be done at once is late after this time. */
  readonly promptMs: number;
  /** Stands for the real one in tests of the judges. */
  readonly decide?: typeof decide;
}

/** What one look at a machine has found and decided. */
export interface Told {
  readonly atMs: number;
  readonly key: MachineKey;
  readonly facts: MachineFacts;
  readonly settled: Mode;
  readonly decision: Decision;
  readonly group: readonly GroupCommand[];
  readonly broken: readonly string[];
}

export interface Session {
  readonly told: Observable<Told>;
  readonly reading: Reading;
  /** What should have been decided at once and was not, since the last time this was asked. */
  readonly overdue: () => readonly string[];
}

/** As soon as a write of our own may have come back. */
const echoMs = 5;

const now = (): number => asyncScheduler.now();

/** Makes a session; it runs while `told` is subscribed. */
export const sessionOver = (cluster: RecordedCluster, script: Script, options: SessionOptions): Session => {
  const seen = seenSoFar(now);
  const writes = ownWrites({ now, lateWriteMs: 10_000, unseenMs: unseenMs(options.watch) });
  const settledModes = new Map<string, Mode>();
  const bounds: Bounds = { settleMs: options.settleMs, cutOverQuietMs: options.limits.cutOverQuietMs };
  const holdUntilMs = now() + options.startupHoldMs;
  let latest: Snapshot | undefined;
  const reading = readingOf(() => latest);
  const demands = demandsOn(seen, () => reading.synced(), now, options.promptMs);

  const clearanceOf = (key: MachineKey) =>
    clearanceFor({ reading, ownWrites: writes, now, holdUntilMs }, key, settledModes.get(keyText(key)) ?? 'hold');

  const judge = (key: MachineKey, decided: Decided): readonly string[] => {
    const migration = seen.migrations().find((each) => each.namespace === key.namespace && each.name === key.migration);
    if (migration === undefined) return [`nothing was told of StorageMigration ${key.namespace}/${key.migration}`];
    demands.note();
    demands.decided(`${key.namespace}/${key.machine}`, decided);
    return broken(seen.sightOf(migration, key.machine), decided, bounds).map((wrong) => `${wrong} (${key.machine})`);
  };

  const write = (key: MachineKey, facts: MachineFacts, decision: Decision): void => {
    for (const command of decision.commands) {
      if (command.kind !== 'record') continue;
      const version = script.write(key.namespace, key.machine, facts.record, command.record);
      if (version === undefined) continue;
      seen.wrote(key.namespace, key.migration, version);
      writes.wrote(keyText(key), 'storageMigrations', key.namespace, version);
    }
  };

  const look = (key: MachineKey, settled: Mode): { readonly told: readonly Told[]; readonly againMs?: number } => {
    const facts = reading.synced() ? reading.machine(key) : undefined;
    const view = reading.migration(key);
    if (facts === undefined || view === undefined) return { told: [] };
    const circumstances = { clearance: clearanceOf(key), limits: options.limits, now: now() };
    const decision = (options.decide ?? decide)(facts, circumstances);
    const isEcho =
      decision.commands.some(({ kind }) => kind === 'record') &&
      writes.isUnseen(keyText(key), 'storageMigrations', reading);
    if (isEcho) return { told: [], againMs: echoMs };
    const group = decideGroups(view, {
      clearanceOf: (machine) => clearanceOf({ ...key, machine }),
      limits: options.limits,
      now: now(),
    });
    const members = view.members.map((member) => ({ ...key, machine: member.name }));
    const wrong = [
      ...judge(key, { decision, group: [] }),
      ...members.flatMap((member) =>
        judge(member, { decision: undefined, group: concerning(view.members, member, group) }),
      ),
    ];
    write(key, facts, decision);
    const told: Told = {
      atMs: now(),
      key,
      facts,
      settled,
      decision,
      group: [...group.ends, ...group.begins],
      broken: wrong,
    };
    const again = [decision.checkAgainMs, group.checkAgainMs].flatMap((ms) => ms ?? []);
    return { told: [told], ...(again.length === 0 ? {} : { againMs: Math.max(echoMs, Math.min(...again)) }) };
  };

  const lookAgain = (key: MachineKey, settled: Mode): Observable<Told> =>
    defer(() => {
      const { told, againMs } = look(key, settled);
      const later = againMs === undefined ? EMPTY : timer(againMs).pipe(switchMap(() => lookAgain(key, settled)));
      return concat(from(told), later);
    });

  const listener: typeof seen.listener = {
    listed: (plural, objects) => {
      seen.listener.listed(plural, objects);
      demands.note();
    },
    event: (plural, type, object) => {
      seen.listener.event(plural, type, object);
      demands.note();
    },
  };

  const told = snapshotOf(cluster.api(listener), {
    ...options.watch,
    auditMs: options.auditMs,
    onSignal: () => undefined,
  }).pipe(
    tap((snapshot) => {
      latest = snapshot;
    }),
    machinesOf(),
    modesOf(options),
    tap(({ key, settled }) => settledModes.set(keyText(key), settled)),
    groupBy(({ key }) => keyText(key)),
    mergeMap((situations) => situations.pipe(switchMap(({ key, settled }) => lookAgain(key, settled)))),
  );

  return {
    told,
    reading,
    overdue: demands.overdue,
  };
};
