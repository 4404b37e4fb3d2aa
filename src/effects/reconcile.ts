// Joins the effects: situations go in, happenings come out, and everything that is written is written below here.
// Guarantees one loop per machine, per group and per migration, however many situations arrive.
import {
  connect,
  defer,
  endWith,
  finalize,
  ignoreElements,
  map,
  merge,
  Observable,
  Subject,
  takeUntil,
  tap,
} from 'rxjs';
import type { Mode } from '../core/mode.ts';
import { keyText, type MachineKey, type MigrationKey } from '../core/reading.ts';
import type { EffectDeps } from './deps.ts';
import type { WriteRecord } from './execute.ts';
import { groupLoop } from './groupLoop.ts';
import type { Happening } from './happening.ts';
import { type MachineWake, machineLoop } from './machineLoop.ts';
import { migrationLoop, type RecordRequest } from './migrationLoop.ts';
import type { Outcome } from './outcome.ts';

/** Reconciles for as long as `situations` lasts. `news`: machines of whose copies there is something new to tell. */
export const reconcile = (
  situations: Observable<MachineWake>,
  news: Observable<MachineKey>,
  options: Omit<EffectDeps, 'settledMode' | 'copyRefusals' | 'writeRefusals'>,
): Observable<Happening> =>
  defer(() => {
    const settled = new Map<string, Mode>();
    const copyRefusals: EffectDeps['copyRefusals'] = new Map();
    const writeRefusals: EffectDeps['writeRefusals'] = new Map();
    const settledMode = (key: MachineKey): Mode => settled.get(keyText(key)) ?? 'hold';
    const deps: EffectDeps = { ...options, copyRefusals, writeRefusals, settledMode };
    const refused = new Subject<MigrationKey>();
    const requests = new Subject<RecordRequest>();
    const writeRecord: WriteRecord = (key, before, after) =>
      new Observable<Outcome>((subscriber) => {
        const answer = (outcome: Outcome): void => {
          subscriber.next(outcome);
          subscriber.complete();
        };
        requests.next({ key, before, after, answer });
      });
    const switches = new Subject<Happening>();
    return situations.pipe(
      tap(({ key, settled: to, facts }) => {
        const from = settled.get(keyText(key));
        if (facts === undefined) {
          settled.delete(keyText(key));
          copyRefusals.delete(keyText(key));
          writeRefusals.delete(keyText(key));
        } else settled.set(keyText(key), to);
        if (from !== undefined && from !== to && facts !== undefined)
          switches.next({ kind: 'switched', key, from, to });
      }),
      connect((situation$) => {
        const migration$ = situation$.pipe(map(({ key }) => migrationKeyOf(key)));
        const ended$ = situation$.pipe(ignoreElements(), endWith('ended'));
        return merge(
          switches,
          // What ends or undoes is sent before anything is drafted for people.
          machineLoop(situation$, deps, writeRecord).pipe(
            tap((happening) => {
              if (happening.kind === 'command' && writeRefusals.has(keyText(happening.key)))
                refused.next(happening.key);
            }),
            // When the last lane has ended, nobody is left to ask for a record or to switch.
            finalize(() => {
              requests.complete();
              switches.complete();
            }),
          ),
          groupLoop(migration$, deps).pipe(
            tap((happening) => {
              if (happening.kind === 'command' && happening.outcome === 'refused') refused.next(happening.key);
            }),
            finalize(() => refused.complete()),
          ),
          migrationLoop(
            merge(migration$, news.pipe(takeUntil(ended$), map(migrationKeyOf)), refused.pipe(map(migrationKeyOf))),
            requests,
            deps,
          ),
        );
      }),
    );
  });

const migrationKeyOf = ({ namespace, migration }: MigrationKey): MigrationKey => ({ namespace, migration });
