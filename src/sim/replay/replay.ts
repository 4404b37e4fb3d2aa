// Plays a tape to the daemon in virtual time, as it was recorded or perturbed, and says what was decided, which law was
// broken, and where every machine stood at the end.
import { asyncScheduler, concatMap, from, map, of, type Subscription, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import type { decide } from '../../core/decide.ts';
import type { MachineFacts } from '../../core/facts.ts';
import { modeOf } from '../../core/mode.ts';
import { resources } from '../../kube/resources.ts';
import { seededRandom } from '../apiServer/seededRandom.ts';
import type { RecordedAct } from '../conform/recording.ts';
import { type EventType, recordedCluster } from './cluster.ts';
import type { Perturbation } from './perturbations.ts';
import { migrationName, scriptFor } from './script.ts';
import { type Session, type SessionOptions, sessionOver, type Told } from './session.ts';
import type { Tape } from './tape.ts';

/** Where a machine stood at the end, as values that do not depend on when things were heard. */
export interface End {
  readonly machine: string;
  readonly is: Readonly<Record<string, string>>;
}

export interface Replayed {
  readonly told: readonly (Told | RecordedAct)[];
  /** Each law that was broken, with the time. */
  readonly broken: readonly string[];
  readonly ends: readonly End[];
}

/** What stands for something real in tests. */
export interface Substitutes {
  readonly decide?: typeof decide;
}

/** A patch that a script sent in the daemon's place is prepared this long before: records come first (law 8). */
const leadMs = 5;
/** How late what the daemon writes comes back. */
const echoMs = 1;
/** Played on after the last line: longer than anything that is waited for without an event. */
const tailMs = 20_000;

/** The defaults of Config, but for the hold of a process that is just starting: recordings are short. */
const optionsOf = (perturbation: Perturbation, random: () => number): SessionOptions => ({
  settleMs: 1000,
  settleMaxMs: 30_000,
  resyncMs: 60_000,
  auditMs: 2,
  startupHoldMs: 500,
  promptMs: 50,
  watch: { random, backoffMs: perturbation.relistMs, maxBackoffMs: 30_000, quietMs: 60_000 },
  limits: {
    cutOverQuietMs: 5000,
    maxLiveAttempts: 3,
    maxFailedMigrations: 5,
    maxCopyFailures: 5,
    copyRetryMs: 10_000,
    gatherMs: 5000,
  },
});

const kubeVirt = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'KubeVirt',
  metadata: { namespace: 'kubevirt', name: 'kubevirt', uid: 'kubevirt', resourceVersion: '1' },
  spec: {
    configuration: { vmRolloutStrategy: 'LiveUpdate' },
    workloadUpdateStrategy: { workloadUpdateMethods: ['LiveMigrate'] },
  },
  status: { phase: 'Deployed' },
};

const now = (): number => asyncScheduler.now();

/** The end of a machine in words that are the same whenever its events were heard. */
const endOf = (name: string, facts: MachineFacts | undefined, settled: Told | undefined): End => {
  if (facts === undefined) return { machine: name, is: { facts: 'none' } };
  const { record, guest, switchOver } = facts;
  return {
    machine: name,
    is: {
      guest: guest.kind,
      spec: facts.spec ?? 'none',
      launcher: facts.launcher,
      switchOver: switchOver.kind,
      'same instance': String(facts.sameInstance),
      unfinished: String(facts.unfinished.length),
      failed: String(facts.failedAttempts),
      goal: facts.goal,
      identity: facts.identity,
      'pods on claims': String(facts.foreignPods.length),
      // A copy that was begun says when things were heard, and proves nothing (law 5).
      record: [
        record?.live === undefined ? '' : 'live',
        record?.switchedOver === undefined ? '' : `switched over in ${record.switchedOver.migrationUid}`,
        record?.gaveUp === undefined ? '' : `gave up: ${record.gaveUp.reason}`,
        record?.completed === undefined ? '' : `completed: ${record.completed.by}`,
      ]
        .filter((part) => part !== '')
        .join('; '),
      mode: modeOf(facts),
      settled: settled?.settled ?? 'none',
      decision: settled?.decision.phase ?? 'none',
    },
  };
};

/** Plays `tape` once. */
export const replay = (tape: Tape, perturbation: Perturbation, substitutes: Substitutes = {}): Replayed => {
  const told: (Told | RecordedAct)[] = [];
  const broken: string[] = [];
  const ends: End[] = [];
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(() => {
    const cluster = recordedCluster({
      now,
      duplicates: perturbation.duplicates,
      // What the daemon writes it reads back at once: late records would be another daemon's.
      lateMs: (plural, index) => (plural === 'storagemigrations' ? echoMs : perturbation.lateMs(plural, index)),
    });
    const options = { ...optionsOf(perturbation, seededRandom(1)), ...substitutes };
    const script = scriptFor(cluster, tape.machines, now, options.limits.cutOverQuietMs);
    const running: Subscription[] = [];
    let session: Session | undefined;
    const note = (wrongs: readonly string[]): void => {
      for (const wrong of wrongs) broken.push(`${seconds(now())} ${wrong}`);
    };
    const start = (): void => {
      for (const subscription of running.splice(0)) subscription.unsubscribe();
      session = sessionOver(cluster, script, options);
      const subscription = session.told.subscribe((each) => {
        told.push(each);
        note(each.broken);
        note(session?.overdue() ?? []);
      });
      running.push(subscription);
    };

    cluster.append('kubevirts', 'added', kubeVirt);
    start();
    const play = from(tape.lines).pipe(
      concatMap((line) => {
        const waitMs = line.at - now();
        return waitMs <= 0 ? of(line) : timer(waitMs).pipe(map(() => line));
      }),
    );
    play.subscribe((line) => {
      if (line.kind === 'act') told.push(line);
      else cluster.append(line.watch, line.type.toLowerCase() as EventType, line.object);
      if (line.kind === 'act' || line.watch !== resources.virtualMachines.plural) return;
      const machine = tape.machines.find(({ name }) => name === line.object.metadata.name);
      if (machine !== undefined) script.accept(machine);
    });
    for (const line of tape.lines) {
      if (line.kind !== 'act' || line.fields['patch'] === undefined) continue;
      timer(Math.max(0, line.at - leadMs)).subscribe(() => {
        script.prepare(line);
      });
    }
    for (const atMs of perturbation.cutsMs) timer(atMs).subscribe(() => cluster.cut());
    for (const atMs of perturbation.restartsMs) timer(atMs).subscribe(start);
    timer(tape.endMs + tailMs).subscribe(() => {
      note(session?.overdue() ?? []);
      for (const { namespace, name } of tape.machines) {
        const facts = session?.reading.machine({ namespace, migration: migrationName, machine: name });
        const last = told.findLast(
          (each): each is Told => 'facts' in each && 'decision' in each && each.key.machine === name,
        );
        ends.push(endOf(name, facts, last));
      }
      for (const subscription of running) subscription.unsubscribe();
    });
  });
  return { told, broken: [...new Set(broken)], ends };
};

/** A time of the recording, as people read it. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`;
