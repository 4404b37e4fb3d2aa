// The left half of the daemon over a stage: snapshots of a cluster that hot lines play.
import type { Observable } from 'rxjs';
import { type Snapshot, snapshotOf } from '../../../src/streams/snapshot.ts';
import { record } from '../../core/builders.ts';
import { migration } from '../cast.ts';
import { type Cluster, linesOf } from '../letters.ts';
import type { MarbleHelpers } from '../marbles.ts';
import { type Line, type Play, stage, stageOptions } from '../stage.ts';

export interface Watched extends Omit<Partial<Play>, 'lines'> {
  readonly cluster: Cluster;
  /** Further lines, with letters of their own. */
  readonly lines?: readonly Line[];
  readonly auditMs?: number;
}

/** Snapshots, at most one per frame unless said otherwise, of a migration of web and db; both are accepted. */
export const watched = (
  helpers: MarbleHelpers,
  { cluster, lines = [], auditMs = 0, ...play }: Watched,
): { readonly snapshots: Observable<Snapshot>; readonly played: ReturnType<typeof stage> } => {
  const machines = ['web', 'db'];
  const records = Object.fromEntries(machines.map((machine) => [machine, record({ machine })]));
  const played = stage(helpers, {
    machines,
    migration: migration(machines, { records }),
    lines: [...linesOf(cluster), ...lines],
    ...play,
  });
  const options = { ...stageOptions.watch, now: helpers.now, auditMs, onSignal: () => undefined };
  return { snapshots: snapshotOf(played.api, options), played };
};
