// The daemon in one piece, for main.ts, the demo and the tests: joins what reads to what writes, over any port to a
// cluster. Nothing runs until it is subscribed, and unsubscribing ends everything it began.
import { asyncScheduler, connect, defer, merge, type Observable, share, take, takeUntil, tap } from 'rxjs';
import type { Limits } from './core/decision.ts';
import type { Kept } from './core/objects.ts';
import type { CopyNews, MigrationKey } from './core/reading.ts';
import type { EffectLimits } from './effects/deps.ts';
import { announce } from './effects/events.ts';
import type { Happening } from './effects/happening.ts';
import { ownWrites } from './effects/ownWrites.ts';
import { reconcile } from './effects/reconcile.ts';
import { refuseUnreadable } from './effects/refuseUnreadable.ts';
import type { KubeApi, Resource } from './kube/api.ts';
import { endable } from './kube/endable.ts';
import { copyNews } from './streams/copyNews.ts';
import { factsMemory } from './streams/factsMemory.ts';
import { machinesOf } from './streams/machines.ts';
import { type ModesOptions, modesOf } from './streams/modes.ts';
import { readingOf } from './streams/reading.ts';
import { type Snapshot, snapshotOf } from './streams/snapshot.ts';
import { unreadableMigrations } from './streams/unreadableMigrations.ts';
import { unseenMs } from './streams/unseenMs.ts';
import type { WatchKindOptions } from './streams/watchKind.ts';
import type { WatchSignal } from './streams/watchSignal.ts';

export interface DaemonOptions extends ModesOptions {
  readonly watch: WatchKindOptions;
  /** At most one snapshot per this time. */
  readonly auditMs: number;
  /** Nothing is started for this long after the start: longer than any request of a predecessor (law 9). */
  readonly startupHoldMs: number;
  /** How long a write that was not answered may still land. */
  readonly lateWriteMs: number;
  readonly limits: Limits & EffectLimits;
  readonly copyImage: string;
  /** How often running copies are asked how far they are. */
  readonly progressMs: number;
  /** Makes keys and names that nobody can guess: so many random bytes, as hexadecimal digits. */
  readonly randomHex: (bytes: number) => string;
  /** Names this process in Events, for example its pod. */
  readonly instance: string;
  /** Hears every snapshot, for metrics and readiness. */
  readonly onSnapshot?: (snapshot: Snapshot) => void;
  readonly onSignal?: (resource: Resource, signal: WatchSignal<Kept>) => void;
}

/**
 * Runs the daemon; emits what it does. It errors only on a bug. When `stop$` emits, no request is sent any more but the
 * Events about what was done; those under way end by themselves and the stream completes.
 */
export const daemon = (api: KubeApi, options: DaemonOptions, stop$: Observable<unknown>): Observable<Happening> =>
  defer(() => {
    const now = (): number => asyncScheduler.now();
    let latest: Snapshot | undefined;
    const memory = factsMemory();
    let over = false;
    const ending$ = stop$.pipe(
      take(1),
      tap(() => {
        over = true;
      }),
      share(),
    );
    const snapshots = snapshotOf(api, {
      ...options.watch,
      auditMs: options.auditMs,
      onSignal: (resource, signal) => options.onSignal?.(resource, signal),
    }).pipe(
      tap((snapshot) => {
        latest = snapshot;
        options.onSnapshot?.(snapshot);
      }),
      takeUntil(ending$),
    );
    const board = new Map<string, CopyNews>();
    const reading = readingOf(() => latest, memory, board);
    const deps = {
      api: endable(api, () => over),
      // Who decides from nothing begins nothing.
      reading: { ...reading, synced: () => !over && reading.synced() },
      ownWrites: ownWrites({ now, lateWriteMs: options.lateWriteMs, unseenMs: unseenMs(options.watch) }),
      now,
      holdUntilMs: now() + options.startupHoldMs,
      limits: options.limits,
      copyImage: options.copyImage,
      randomHex: options.randomHex,
      unreadable: ({ namespace, migration }: MigrationKey) => latest?.migrations.malformedAt(namespace, migration),
    };
    const listening = { api, reading, now, periodMs: options.progressMs, board };
    return snapshots.pipe(
      connect((snapshot$) =>
        merge(
          snapshot$.pipe(
            machinesOf(memory),
            modesOf(options),
            takeUntil(ending$),
            connect((situations) => reconcile(situations, situations.pipe(copyNews(listening)), deps)),
          ),
          refuseUnreadable(snapshot$.pipe(unreadableMigrations()), deps),
        ),
      ),
      connect((happenings) => merge(happenings, announce(happenings, { api, reading, now }, options.instance))),
    );
  });
