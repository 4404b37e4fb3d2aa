// What a row of the table looked like over time: for each machine, its disk B and each pod the states one after
// another. Pictures go in as they are taken, diagram.ts draws what has come together. Pure: a new score every time.

export type GuestState = 'off A' | 'off B' | 'starting' | 'on A' | 'on B' | 'stopping';
export type ModeState = 'live' | 'offline' | 'hold' | 'done';
/** How much of what the guest has written is on B. */
export type ContentState = 'none' | 'little' | 'half' | 'most' | 'all';
export type PodState = 'pending' | 'running' | 'ending' | 'succeeded' | 'failed';

/** One kind of lane and what may be seen in it. */
export type Sight =
  | { readonly kind: 'guest'; readonly state: GuestState }
  | { readonly kind: 'mode'; readonly state: ModeState }
  | { readonly kind: 'content'; readonly state: ContentState }
  | { readonly kind: 'pod'; readonly state: PodState; readonly uid: string };

/** What is what at one moment. Pods that are not in it do not exist. */
export interface Picture {
  readonly machines: readonly {
    readonly name: string;
    readonly guest: GuestState;
    readonly mode: ModeState;
    readonly content: ContentState;
  }[];
  readonly pods: readonly {
    readonly uid: string;
    readonly role: 'server' | 'client' | 'launcher';
    /** Undefined for a server. */
    readonly machine: string | undefined;
    readonly state: PodState;
  }[];
}

export interface Span {
  readonly fromMs: number;
  /** Undefined: there is nothing to see. */
  readonly sight: Sight | undefined;
}

export interface Lane {
  readonly machine: string | undefined;
  readonly role: 'guest' | 'mode' | 'content' | 'launcher' | 'client' | 'server';
  /** Pods of one role that exist at the same time have lanes of their own: 1, 2 ... */
  readonly slot: number;
  /** In order of time, each up to the next. */
  readonly spans: readonly Span[];
}

/** A milestone, or what people did. */
export interface Note {
  readonly atMs: number;
  readonly what: string;
}

/** All times are in ms of the cluster since the migration was asked for. */
export interface Score {
  readonly lanes: readonly Lane[];
  readonly notes: readonly Note[];
  readonly untilMs: number;
}

export const emptyScore: Score = { lanes: [], notes: [], untilMs: 0 };

const sightIn = (lane: Lane): Sight | undefined => lane.spans.at(-1)?.sight;

const isSame = (a: Sight | undefined, b: Sight | undefined): boolean =>
  a?.kind === b?.kind && a?.state === b?.state && (a?.kind !== 'pod' || b?.kind !== 'pod' || a.uid === b.uid);

const roles: readonly Lane['role'][] = ['guest', 'mode', 'content', 'launcher', 'client', 'server'];

type Seen = Omit<Lane, 'spans'> & { readonly sight: Sight };

/** Gives every pod a lane: the one it has, else the first of its role and machine that nothing is in. */
const podsSeen = (lanes: readonly Lane[], picture: Picture): readonly Seen[] => {
  const laneOf = (uid: string): Lane | undefined =>
    lanes.find((lane) => {
      const sight = sightIn(lane);
      return sight?.kind === 'pod' && sight.uid === uid;
    });
  const seen = picture.pods.flatMap(({ uid, state }): readonly Seen[] => {
    const lane = laneOf(uid);
    if (lane === undefined) return [];
    const { role, machine, slot } = lane;
    return [{ role, machine, slot, sight: { kind: 'pod', state, uid } }];
  });
  for (const { role, machine, state, uid } of picture.pods) {
    if (laneOf(uid) !== undefined) continue;
    const neighbours = seen.filter((other) => other.role === role && other.machine === machine);
    let slot = 1;
    while (neighbours.some((other) => other.slot === slot)) slot += 1;
    seen.push({ role, machine, slot, sight: { kind: 'pod', state, uid } });
  }
  return seen;
};

const machinesSeen = (picture: Picture): readonly Seen[] =>
  picture.machines.flatMap(({ name: machine, guest, mode, content }): readonly Seen[] => [
    { machine, role: 'guest', slot: 1, sight: { kind: 'guest', state: guest } },
    { machine, role: 'mode', slot: 1, sight: { kind: 'mode', state: mode } },
    { machine, role: 'content', slot: 1, sight: { kind: 'content', state: content } },
  ]);

/** By machine in the order of the picture, each with its pods; servers last. */
const inOrder = (lanes: readonly Lane[], picture: Picture): readonly Lane[] => {
  const rank = ({ machine, role, slot }: Lane): number => {
    const place = picture.machines.findIndex(({ name }) => name === machine);
    return (place < 0 ? picture.machines.length : place) * 1000 + roles.indexOf(role) * 100 + slot;
  };
  return lanes.toSorted((a, b) => rank(a) - rank(b));
};

/** The score with what is seen at `atMs`, which must not be before what it has already. */
export const withPicture = (score: Score, atMs: number, picture: Picture): Score => {
  const seen = [...machinesSeen(picture), ...podsSeen(score.lanes, picture)];
  const isOf = (lane: Lane) => (each: Seen) =>
    each.role === lane.role && each.machine === lane.machine && each.slot === lane.slot;
  const known = score.lanes.map((lane): Lane => {
    const sight = seen.find(isOf(lane))?.sight;
    return isSame(sightIn(lane), sight) ? lane : { ...lane, spans: [...lane.spans, { fromMs: atMs, sight }] };
  });
  const fresh = seen
    .filter((each) => !score.lanes.some((lane) => isOf(lane)(each)))
    .map(({ sight, ...lane }): Lane => ({ ...lane, spans: [{ fromMs: atMs, sight }] }));
  return { ...score, lanes: inOrder([...known, ...fresh], picture), untilMs: Math.max(score.untilMs, atMs) };
};

/** The score with a milestone. */
export const withNote = (score: Score, note: Note): Score => ({
  ...score,
  notes: [...score.notes, note],
  untilMs: Math.max(score.untilMs, note.atMs),
});
