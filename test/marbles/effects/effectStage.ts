// What an effect is given, for tests of one effect alone: facts that a hot line sets and wakes with, a port that says
// each request aloud and answers it with a cold line, and the clock of the diagram.
import { defer, map, type Observable, Subject, tap } from 'rxjs';
import type { MachineFacts } from '../../../src/core/facts.ts';
import { type Mode, modeOf } from '../../../src/core/mode.ts';
import type { Pod } from '../../../src/core/objects.ts';
import { keyText, type MachineKey, type WrittenKind } from '../../../src/core/reading.ts';
import type { EffectDeps } from '../../../src/effects/deps.ts';
import type { Happening } from '../../../src/effects/happening.ts';
import type { MachineWake } from '../../../src/effects/machineLoop.ts';
import { ownWrites } from '../../../src/effects/ownWrites.ts';
import { KubeFailure } from '../../../src/kube/api.ts';
import { limits } from '../../core/circumstances.ts';
import type { MarbleHelpers } from '../marbles.ts';
import { type Request, spokenApi } from '../spokenApi.ts';

export const keyOf = (machine: string): MachineKey => ({ namespace: 'shop', migration: 'move', machine });

/** The server says no, for somebody was faster. */
export const conflict = new KubeFailure('status', 'not the version', { code: 422, reason: 'Invalid' });
/** The request was sent and never answered. */
export const unanswered = new KubeFailure('unknown', 'connection reset');

/** A cold answer: `a` is an object of this version, `#` a failure. */
export const answer = ({ cold }: MarbleHelpers, line: string, version = '100', failure?: KubeFailure) =>
  cold(line, { a: { metadata: { resourceVersion: version } } }, failure);

export interface Scene {
  /** The facts of machines from now on; undefined: the machine is gone. */
  readonly facts?: Readonly<Record<string, MachineFacts | undefined>>;
  readonly settled?: Mode;
  /** Versions that the stores have seen from now on. */
  readonly seen?: Partial<Record<WrittenKind, string>>;
  readonly pods?: readonly Pod[];
}

interface Options extends Partial<Omit<EffectDeps, 'limits'>> {
  readonly limits?: Partial<EffectDeps['limits']>;
  /** How a request is answered, by its sentence: at once, with version 100, unless said otherwise. */
  readonly answers?: Readonly<Record<string, Observable<unknown>>>;
  readonly lateWriteMs?: number;
  readonly synced?: () => boolean;
}

export const effectStage = (
  { cold, now }: MarbleHelpers,
  { answers = {}, lateWriteMs = 20, limits: extra = {}, synced = () => true, ...rest }: Options = {},
) => {
  const facts = new Map<string, MachineFacts>();
  const settled = new Map<string, Mode>();
  const seen: Record<WrittenKind, string> = {
    virtualMachines: '100',
    storageMigrations: '100',
    pods: '100',
    claims: '100',
  };
  let pods: readonly Pod[] = [];
  const requests: Request[] = [];
  const sent = new Subject<string>();

  const deps: EffectDeps = {
    api: spokenApi({
      request: (request) =>
        defer(() => {
          requests.push(request);
          sent.next(request.sentence);
          return answers[request.sentence] ?? cold('(a|)', { a: { metadata: { resourceVersion: '100' } } });
        }),
    }),
    reading: {
      synced,
      lastEventMs: () => undefined,
      news: () => undefined,
      machine: (key) => facts.get(keyText(key)),
      migration: () => {
        const members = [...facts.values()];
        const [first] = members;
        return first === undefined ? undefined : { migration: first.view.migration, members, pods };
      },
      seenVersion: (kind) => seen[kind],
    },
    ownWrites: ownWrites({ now, lateWriteMs, unseenMs: 1000 }),
    now,
    holdUntilMs: 0,
    limits: {
      ...limits,
      gatherMs: 0,
      retryMs: 4,
      retryMaxMs: 16,
      moveGapMs: 0,
      statusMs: 20,
      concurrentCreates: 4,
      ...extra,
    },
    copyImage: 'copy',
    randomHex: (bytes) => '0'.repeat(2 * bytes),
    copyRefusals: new Map(),
    writeRefusals: new Map(),
    settledMode: (key) => settled.get(keyText(key)) ?? 'hold',
    ...rest,
  };

  /** Sets the scene; machines whose facts are set settle in the mode these give, unless it says otherwise. */
  const set = (scene: Scene): readonly MachineWake[] => {
    Object.assign(seen, scene.seen);
    if (scene.pods !== undefined) pods = scene.pods;
    const changed = Object.entries(scene.facts ?? {});
    for (const [machine, found] of changed) {
      const topic = keyText(keyOf(machine));
      if (found === undefined) facts.delete(topic);
      else facts.set(topic, found);
      settled.set(topic, scene.settled ?? (found === undefined ? 'hold' : modeOf(found)));
    }
    const woken =
      changed.length > 0 ? changed.map(([machine]) => machine) : [...facts.values()].map(({ name }) => name);
    return woken.map((machine) => {
      const topic = keyText(keyOf(machine));
      return { key: keyOf(machine), settled: settled.get(topic) ?? 'hold', facts: facts.get(topic) };
    });
  };
  return {
    deps,
    set,
    requests,
    /** The sentences of the requests, when they are sent. */
    sent: sent.asObservable(),
    /** A line of scenes as wake-ups of the one machine each is about. */
    wakes: (scenes: Observable<Scene>): Observable<MachineWake> =>
      scenes.pipe(
        map((scene) => {
          const [wake] = set(scene);
          if (wake === undefined) throw new Error('A scene wakes a machine.');
          return wake;
        }),
      ),
    /** The same for loops of a whole migration. */
    migrationWakes: (scenes: Observable<Scene>) =>
      scenes.pipe(
        tap((scene) => set(scene)),
        map(() => ({ namespace: 'shop', migration: 'move' })),
      ),
  };
};

/** A happening in a word or two. */
export const told = (happening: Happening): string => {
  switch (happening.kind) {
    case 'command':
      return `${happening.record ?? happening.command} ${happening.outcome}`;
    case 'switched':
      return `${happening.from} to ${happening.to}`;
    case 'reacted':
      return 'reacted';
    default:
      return happening satisfies never;
  }
};
