// What a seed says about one run: which disk is copied how, where and how its copies are cut off, and what becomes of the
// source in between. Pure: the same seed is the same plan. How far a copy has come when the cut is made is counted on
// the wire, so that it does not depend on how fast the machine is.
import type { DiskKind } from '../../src/copy/paths.ts';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';

const mebibyte = 1024 * 1024;

/** What is cut off: a pod with all that is in it, one of its programs, or the network between the pods. */
export const places = [
  'client',
  "client's entry",
  "client's rsync",
  "client's stunnel",
  'server',
  "server's entry",
  "server's rsync",
  "server's stunnel",
  'network',
] as const;
export type Place = (typeof places)[number];

/** To a process, or to the network: `hold` goes on after a while, `part` does not before the client has given up. */
export const processBlows = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
export const networkBlows = ['reset', 'hold', 'part'] as const;
export type Blow = (typeof processBlows)[number] | (typeof networkBlows)[number];

/**
 * When a cut is made: after so many bytes of the disk, as a share of what there is to send; or after so many bytes of the
 * control conversation, counted from its beginning or from the end of rsync.
 */
export type Point =
  | { readonly at: 'copy'; readonly share: number }
  | { readonly at: 'talk' | 'proof'; readonly bytes: number };

export interface Cut {
  readonly point: Point;
  /** How long what has passed is left to the other side before the cut. */
  readonly restMs: number;
  readonly place: Place;
  readonly blow: Blow;
  /** Which of several processes of that name: a share of their number. */
  readonly which: number;
  /** How long something stopped stays so; undefined: for good, until another pod has taken its place. */
  readonly stoppedMs: number | undefined;
  /** How long what is left of a dead pod lives on. */
  readonly remainsMs: number;
}

export interface Segment {
  readonly bytes: number;
  readonly content: 'random' | 'text' | 'zeros' | 'hole';
}

/** What happens to the source before the next attempt. */
export interface Change {
  /** Where bytes are written, as a share of the disk, and how many. */
  readonly writes: readonly { readonly at: number; readonly segment: Segment }[];
  /** Bytes that a file grows or shrinks by. */
  readonly growth: number;
  /** `now`: as the kernel sets it; `kept`: as before; `same`: in the same second as the target's. */
  readonly time: 'now' | 'kept' | 'same';
}

export interface Plan {
  readonly seed: number;
  readonly source: DiskKind;
  readonly target: DiskKind;
  readonly segments: readonly Segment[];
  /** Bytes by which a target device is larger. */
  readonly spare: number;
  readonly bandwidthLimit: number | undefined;
  readonly verify: boolean;
  /** How long a peer may be silent; undefined: the usual. Short where a cut has to be found out by it. */
  readonly timeoutSeconds: number | undefined;
  readonly cuts: readonly Cut[];
  /** Before each attempt but the first; undefined: the source stays as it is. */
  readonly changes: readonly (Change | undefined)[];
  /** The disk is copied without a cut before, to know what a first copy sends; the only cut ends a copy in its middle. */
  readonly measured: boolean;
}

/** Below the limit from which on differences are looked for (data plane §1.5), and too high to be felt here. */
const slow = 79 * mebibyte;

const drawing = (seed: number) => {
  const random = seededRandom(seed);
  // Seeds that are neighbours begin alike.
  for (let each = 0; each < 16; each += 1) random();
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(choices: readonly T[]): T => choices[below(choices.length)] as T;
  const chance = (share: number): boolean => random() < share;
  return { random, below, oneOf, chance };
};
type Draw = ReturnType<typeof drawing>;

const drawSegment = ({ below, oneOf }: Draw, most: number): Segment => ({
  bytes: 512 * (1 + below(most / 512)),
  content: oneOf(['random', 'random', 'random', 'text', 'zeros', 'hole']),
});

const drawSegments = (draw: Draw): readonly Segment[] => {
  const size = 4 * mebibyte + 512 * Math.floor(draw.random() ** 2 * 40 * 1024);
  const segments: Segment[] = [];
  for (let left = size; left > 0; ) {
    const segment = drawSegment(draw, draw.oneOf([16, 256, 2048]) * 1024);
    segments.push({ ...segment, bytes: Math.min(segment.bytes, left) });
    left -= segment.bytes;
  }
  return segments;
};

const drawPoint = ({ random, below }: Draw): Point => {
  const kind = random();
  if (kind < 0.76) return { at: 'copy', share: random() };
  return kind < 0.88 ? { at: 'talk', bytes: 1 + below(1600) } : { at: 'proof', bytes: 1 + below(120) };
};

const drawCut = (draw: Draw): Cut => {
  const place = draw.oneOf<Place>([...places, 'network']);
  const blow = draw.oneOf<Blow>(place === 'network' ? networkBlows : processBlows);
  // A single program that is stopped for good is what no cluster does; a pod is, when its node hangs.
  const forGood = blow === 'part' || (blow === 'SIGSTOP' && /^(client|server)$/.test(place) && draw.chance(0.5));
  return {
    point: drawPoint(draw),
    restMs: draw.chance(0.5) ? 0 : draw.below(60),
    place,
    blow,
    which: draw.random(),
    stoppedMs: forGood ? undefined : 50 + draw.below(1000),
    remainsMs: draw.chance(0.5) ? 0 : draw.below(300),
  };
};

/** One that ends a copy in the middle for certain. */
const drawClearCut = (draw: Draw): Cut => ({
  ...drawCut(draw),
  point: { at: 'copy', share: 0.1 + 0.8 * draw.random() },
  ...draw.oneOf<Pick<Cut, 'place' | 'blow'>>([
    ...places.slice(0, -1).map((place) => ({ place, blow: draw.oneOf(['SIGKILL', 'SIGTERM'] as const) })),
    { place: 'network', blow: 'reset' },
  ]),
  stoppedMs: 0,
});

const drawChange = (draw: Draw, source: DiskKind): Change => ({
  writes: Array.from({ length: 1 + draw.below(4) }, () => ({
    at: draw.random(),
    segment: drawSegment(draw, draw.oneOf([1, 64, 1024]) * 1024),
  })),
  growth: source === 'file' && draw.chance(0.15) ? 512 * (draw.below(1024) - 512) : 0,
  time: draw.oneOf(['now', 'kept', 'same', 'same']),
});

/** Most by which all changes together let a source grow. */
export const mostGrowth = 3 * 512 * 512;

/** Four seeds in a row are the four combinations of file and device. */
export const planOf = (seed: number): Plan => {
  const draw = drawing(seed);
  const source: DiskKind = seed % 2 === 0 ? 'file' : 'block';
  const target: DiskKind = seed % 4 < 2 ? 'file' : 'block';
  const bandwidthLimit = draw.chance(0.5) ? slow : undefined;
  const often = draw.random();
  const measured = (bandwidthLimit !== undefined || target === 'block') && draw.chance(0.35);
  const cuts = measured
    ? [drawClearCut(draw)]
    : Array.from({ length: often < 0.5 ? 1 : often < 0.8 ? 2 : 3 }, () => drawCut(draw));
  return {
    seed,
    source,
    target,
    segments: drawSegments(draw),
    spare: draw.chance(0.3) ? 512 * draw.below(4096) : 0,
    bandwidthLimit,
    verify: draw.chance(0.25),
    timeoutSeconds: cuts.some(({ stoppedMs }) => stoppedMs === undefined) ? 3 : undefined,
    cuts,
    changes: cuts.map(() => (!measured && draw.chance(0.6) ? drawChange(draw, source) : undefined)),
    measured,
  };
};
