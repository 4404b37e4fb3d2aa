// A stage for the whole daemon: hot lines play what people, KubeVirt and the kubelets do to a cluster, and what the
// daemon writes comes out as lines. Column is frame, on every line.
// It is no simulator: nothing happens that is not drawn, but for what the API server itself does with a write. It holds
// writes to their guards, carries them out when their answer comes, counts versions, and tells the watches.
import { isDeepStrictEqual } from 'node:util';
import {
  concatMap,
  defer,
  filter,
  map,
  merge,
  NEVER,
  type Observable,
  of,
  Subject,
  share,
  throwError,
  timer,
} from 'rxjs';
import { type DaemonOptions, daemon } from '../../src/daemon.ts';
import type { Happening } from '../../src/effects/happening.ts';
import { KubeFailure, type KubeMetadata, type KubeObject, type Resource, type WatchEvent } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { failures } from '../../src/sim/apiServer/failures.ts';
import { jsonPatch } from '../../src/sim/apiServer/jsonPatch.ts';
import { claim, kubeVirt } from './cast.ts';
import type { MarbleHelpers } from './marbles.ts';
import { type Request, spokenApi } from './spokenApi.ts';

/** What a letter on a line means for the object of that name. */
export type Letter = { readonly name: string } & (
  | /** It becomes this; `before` is undefined when it is not there yet. */
  { readonly becomes: (before: KubeObject | undefined) => KubeObject }
  /** It is gone. */
  | { readonly gone: true }
  /** The watch says again what it was so many versions ago; 0 is a duplicate. */
  | { readonly versionsAgo: number }
);

export interface Line {
  readonly resource: Resource;
  readonly diagram: string;
  readonly letters: Readonly<Record<string, Letter>>;
}

export interface Play {
  readonly lines: readonly Line[];
  /** Machines whose claims, A and B, exist. */
  readonly machines: readonly string[];
  /** The StorageMigration as it is at the beginning. */
  readonly migration: KubeObject;
  /** How the answer to a request comes, by its sentence: `-(a|)` unless said otherwise. */
  readonly answers?: Readonly<Record<string, string>>;
  /** How the answer to the list of a kind comes: at the end of the first frame unless said otherwise. */
  readonly lists?: Readonly<Record<string, string>>;
  /** Frames at which the watch of a kind breaks and its events are lost; it lists anew 2 frames later. */
  readonly cuts?: Readonly<Record<string, string>>;
  readonly options?: Omit<Partial<DaemonOptions>, 'limits'>;
  readonly limits?: Partial<DaemonOptions['limits']>;
  /** When the daemon is told to stop. */
  readonly stop?: string;
}

/** Every time in frames, and short: a mode settles after 3, and what is not about waiting does not wait. */
export const stageOptions: DaemonOptions = {
  settleMs: 3,
  settleMaxMs: 30,
  resyncMs: 100_000,
  auditMs: 0,
  startupHoldMs: 0,
  lateWriteMs: 20,
  copyImage: 'copy',
  progressMs: 100_000,
  randomHex: (bytes) => '0'.repeat(2 * bytes),
  instance: 'stage',
  watch: { random: () => 0, backoffMs: 4, maxBackoffMs: 16, quietMs: 30, idleMs: 1e6, listTimeoutMs: 1e6 },
  limits: {
    cutOverQuietMs: 2,
    maxLiveAttempts: 5,
    maxFailedMigrations: 5,
    maxCopyFailures: 3,
    copyRetryMs: 4,
    gatherMs: 5,
    retryMs: 4,
    retryMaxMs: 16,
    moveGapMs: 0,
    statusMs: 100_000,
    concurrentCreates: 4,
  },
};

/** Kinds that the daemon never watches. */
const unwatched: ReadonlySet<Resource> = new Set([
  resources.events,
  resources.coreEvents,
  resources.secrets,
  resources.dataVolumes,
]);

/** The objects of one kind, with all their versions: one version for each change, ten for each frame. */
const shelf = (resource: Resource, now: () => number) => {
  const present = new Map<string, KubeObject>();
  const versions = new Map<string, KubeObject[]>();
  const lives = new Map<string, number>();
  const events = new Subject<WatchEvent>();
  let newest = 999;
  const stamped = (object: KubeObject, metadata: Partial<KubeMetadata>): KubeObject => {
    newest = Math.max(1000 + 10 * now(), newest + 1);
    const { name } = object.metadata;
    const made = { ...object, metadata: { ...object.metadata, ...metadata, resourceVersion: String(newest) } };
    versions.set(name, [made, ...(versions.get(name) ?? [])]);
    return made;
  };
  return {
    events,
    present,
    versions,
    version: (): string => String(newest),
    /** Takes in a state; an object keeps its uid for as long as it lives. */
    put: (state: KubeObject): KubeObject => {
      const { name, uid = `uid-${name}` } = state.metadata;
      const before = present.get(name);
      if (before === undefined) lives.set(name, (lives.get(name) ?? 0) + 1);
      const life = lives.get(name) ?? 1;
      const generation = before?.metadata.generation ?? 0;
      const object = stamped(state, {
        uid: before?.metadata.uid ?? (life === 1 ? uid : `${uid}-${life}`),
        generation: isDeepStrictEqual(before?.['spec'], state['spec']) ? generation : generation + 1,
      });
      present.set(name, object);
      events.next({ type: before === undefined ? 'added' : 'modified', object });
      return object;
    },
    end: (name: string): void => {
      const before = present.get(name);
      if (before === undefined) throw new Error(`Frame ${now()}: ${resource.kind} ${name} ends, but is not there.`);
      present.delete(name);
      events.next({ type: 'deleted', object: stamped(before, {}) });
    },
  };
};

type Shelf = ReturnType<typeof shelf>;

/** Sets the stage; everything happens when `happenings` is subscribed. */
export const stage = (helpers: MarbleHelpers, play: Play) => {
  const { hot, cold, now } = helpers;
  const shelves = new Map<Resource, Shelf>(
    Object.values(resources).map((resource) => [resource, shelf(resource, now)]),
  );
  const shelfOf = (resource: Resource): Shelf => {
    const found = shelves.get(resource);
    if (found === undefined) throw new Error(`There is no shelf for ${resource.kind}.`);
    return found;
  };
  shelfOf(resources.kubeVirts).put(kubeVirt());
  shelfOf(resources.storageMigrations).put(play.migration);
  for (const machine of play.machines) {
    for (const name of [`${machine}-root`, `${machine}-root-fast`]) {
      shelfOf(resources.persistentVolumeClaims).put(claim(name));
    }
  }

  /** A virt-launcher belongs to the VMI that there is, whichever life of it that is. */
  const owned = (state: KubeObject): KubeObject => {
    const ownerReferences = state.metadata.ownerReferences?.map((owner) => {
      const uid = shelfOf(resources.virtualMachineInstances).present.get(owner.name)?.metadata.uid;
      return owner.kind === 'VirtualMachineInstance' && uid !== undefined ? { ...owner, uid } : owner;
    });
    return ownerReferences === undefined ? state : { ...state, metadata: { ...state.metadata, ownerReferences } };
  };
  const perform = (resource: Resource, letter: Letter): void => {
    const its = shelfOf(resource);
    if ('gone' in letter) its.end(letter.name);
    else if ('becomes' in letter) {
      const before = its.present.get(letter.name);
      if (before === undefined && now() > 0 && letter.name.startsWith('copy-')) {
        throw new Error(`Frame ${now()}: pod ${letter.name} is drawn, but nobody has made it.`);
      }
      its.put(owned(letter.becomes(before)));
    } else {
      const object = its.versions.get(letter.name)?.[letter.versionsAgo];
      if (object === undefined) throw new Error(`Frame ${now()}: ${letter.name} never had that version.`);
      its.events.next({ type: 'modified', object });
    }
  };
  for (const { resource, diagram, letters } of play.lines) {
    if (diagram.trim() !== '') hot<Letter>(diagram, letters).subscribe((letter) => perform(resource, letter));
  }

  /** What a request does when it lands, and what it is answered. */
  const land = (request: Request): unknown => {
    const { resource } = request;
    const its = shelfOf(resource);
    const name = request.verb === 'create' ? request.object.metadata.name : request.ref.name;
    const before = its.present.get(name);
    if (request.verb === 'create') {
      if (before !== undefined) throw failures.alreadyExists(resource, name);
      return its.put({ ...request.object, status: { phase: 'Pending', podIP: '10.0.0.7' } });
    }
    if (before === undefined) throw failures.notFound(resource, name);
    switch (request.verb) {
      case 'get':
        return before;
      case 'patch':
        return its.put(jsonPatch(before, request.operations) as KubeObject);
      case 'remove': {
        if (before.metadata.uid !== request.uid) throw failures.conflict(resource, name, 'another uid');
        const deletionTimestamp = '2026-03-01T12:00:00Z';
        if (before.metadata.deletionTimestamp === undefined) {
          its.put({ ...before, metadata: { ...before.metadata, deletionTimestamp } });
        }
        return undefined;
      }
      default:
        return request satisfies never;
    }
  };
  const writes = new Subject<string>();
  const lost = new KubeFailure('unknown', 'connection reset');
  const answers = new Map<string, ReturnType<typeof cold>>();
  const answerTo = (sentence: string) => {
    const answer = answers.get(sentence) ?? cold(play.answers?.[sentence] ?? '-(a|)', { a: '' }, lost);
    answers.set(sentence, answer);
    return answer;
  };
  /** Says nothing, only how long it was listened to. */
  const silences = new Map(Object.values(resources).map((resource) => [resource, cold<WatchEvent>('-', {})]));
  const watching = (resource: Resource): Observable<WatchEvent> => silences.get(resource) ?? NEVER;
  const cuts = new Map(Object.entries(play.cuts ?? {}).map(([plural, cut]) => [plural, hot(cut, { x: '' })]));
  /** Everything else of the first frame comes before the lists of it. */
  const listed = (resource: Resource): Observable<unknown> => {
    const line = play.lists?.[resource.plural];
    return line === undefined ? timer(0) : cold(line, { a: '' });
  };
  const api = spokenApi({
    list: (resource) =>
      listed(resource).pipe(
        map(() => ({ resourceVersion: shelfOf(resource).version(), items: [...shelfOf(resource).present.values()] })),
      ),
    watch: (resource) => {
      const broken = cuts.get(resource.plural)?.pipe(concatMap(() => throwError(() => failures.expired('too old'))));
      return merge(shelfOf(resource).events, watching(resource), broken ?? NEVER);
    },
    request: (request) => {
      if (request.verb === 'get') return defer(() => of(land(request)));
      if (unwatched.has(request.resource) && request.verb === 'create') return of({});
      if (!request.sentence.startsWith('status of')) writes.next(request.sentence);
      return answerTo(request.sentence).pipe(map(() => land(request)));
    },
  });
  const { watch, ...rest } = { ...stageOptions, ...play.options };
  const limits = { ...stageOptions.limits, ...play.limits };
  const happenings = daemon(
    api,
    { ...rest, watch: { ...watch, now }, limits },
    play.stop === undefined ? NEVER : hot(play.stop),
  ).pipe(share());
  return {
    api,
    /** The daemon at work on the stage. */
    happenings,
    /** Every request that writes, when it is sent, but for status, Events and Secrets. */
    writes: writes.asObservable(),
    /** Every record of a machine, when it is written. */
    records: happenings.pipe(
      filter(isRecord),
      map(({ key, record }) => `${record} ${key.machine}`),
    ),
    /** When the requests with this sentence were sent and answered; cut off, the answer is not awaited. */
    sent: (sentence: string) => answerTo(sentence).subscriptions,
    /** From when to when each kind was watched. */
    watches: () =>
      [...silences].filter(([resource]) => !unwatched.has(resource)).map(([, silence]) => silence.subscriptions),
  };
};

const isRecord = (happening: Happening): happening is Extract<Happening, { kind: 'command' }> =>
  happening.kind === 'command' && happening.command === 'record' && happening.outcome === 'done';
