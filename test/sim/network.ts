// A network with faults for the daemon on the stage, and what must be known of it to judge fairly: which writes were
// held up on their way, how stale events may be, and when the daemon could not see or act at all.
import { asyncScheduler } from 'rxjs';
import { seededRandom } from '../../src/sim/apiServer/seededRandom.ts';
import type { Change, EventFault, EventInfo, PortOptions, RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import type { Excuse } from './past.ts';

export interface Faults {
  /** What happens to a request; asked for each. */
  readonly request?: (request: RequestInfo, random: () => number) => RequestFault | undefined;
  readonly event?: (event: EventInfo, random: () => number) => EventFault | undefined;
}

export interface Network {
  /** What a port is given; every daemon of a performance is on the same network. */
  readonly options: PortOptions;
  /** How long a write was held up that arrives now, in ms. */
  heldUpMs(change: Change): number;
  /**
   * How old may be what the daemon goes on from, in ms: the longest delay of an event so far, or the time since a watch
   * broke that may not be back yet.
   */
  staleMs(): number;
  readonly excuse: Excuse;
  /** Something else kept the daemon from seeing or acting from then on for so long. */
  trouble(fromMs: number, forMs: number): void;
  /** Everything works from now on. */
  calm(): void;
}

interface Late {
  readonly plural: string;
  readonly name: string;
  readonly sentMs: number;
  readonly dueMs: number;
}

/** After a fault the daemon tries again within this time. */
const afterFaultMs = 4000;
/** A watch that broke is back within this time; it waits twice as long with each further time, up to a maximum. */
const afterCutMs = 2000;
const mostAfterCutMs = 7000;
/** So long without a break the watch waits for as long as the first time. */
const quietMs = 10_000;
/** A watch that was agreed to and says nothing is broken off after this time: `idleMs` of watchKind and a moment. */
const afterSilenceMs = 155_000;

const verbs = { added: 'create', modified: 'patch', deleted: 'remove' } as const;

/** Makes a network; the same seed gives the same faults. */
export const networkOf = ({ request, event }: Faults, seed = 1): Network => {
  const random = seededRandom(seed);
  const late: (Late & { readonly verb: string })[] = [];
  const troubles: { readonly fromMs: number; readonly toMs: number }[] = [];
  let longestDelayMs = 0;
  let lastCutMs = Number.NEGATIVE_INFINITY;
  let cuts = 0;
  let blind = { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY };
  let isCalm = false;
  const trouble = (fromMs: number, forMs: number): void => {
    troubles.push({ fromMs, toMs: fromMs + forMs });
  };

  /** A watch is gone, or does not come back: what is not told from now on is not known. */
  const loseSight = (forMs: number): void => {
    const nowMs = asyncScheduler.now();
    const fromMs = nowMs <= blind.toMs ? blind.fromMs : nowMs;
    blind = { fromMs, toMs: Math.max(blind.toMs, nowMs + forMs) };
  };

  const onRequest = (info: RequestInfo): RequestFault | undefined => {
    const fault = isCalm ? undefined : request?.(info, random);
    if (fault === undefined) return undefined;
    const now = asyncScheduler.now();
    const delayMs = fault.kind === 'slow' || fault.kind === 'land' ? fault.ms : 0;
    const isSilent = info.verb === 'watch' && fault.kind === 'hang';
    const forMs = isSilent ? afterSilenceMs : afterFaultMs + 2 * delayMs;
    trouble(now, forMs);
    if (info.verb === 'watch' || info.verb === 'list') loseSight(forMs);
    if (delayMs > 0) {
      const { verb, resource, ref } = info;
      late.push({ verb, plural: resource.plural, name: ref?.name ?? '', sentMs: now, dueMs: now + delayMs + 2 });
    }
    return fault;
  };
  const onEvent = (info: EventInfo): EventFault | undefined => {
    const fault = isCalm ? undefined : event?.(info, random);
    if (fault === undefined) return undefined;
    if (fault.kind === 'delay') longestDelayMs = Math.max(longestDelayMs, fault.ms);
    if (fault.kind === 'delay') trouble(asyncScheduler.now(), fault.ms + 10);
    if (fault.kind === 'cut' || fault.kind === 'expire') {
      const nowMs = asyncScheduler.now();
      cuts = nowMs - lastCutMs > quietMs ? 0 : cuts + 1;
      lastCutMs = nowMs;
      const backMs = Math.min(mostAfterCutMs, afterCutMs * 2 ** cuts);
      loseSight(backMs);
      trouble(nowMs, backMs);
    }
    return fault;
  };

  return {
    options: { onRequest, onEvent },
    heldUpMs: ({ type, resource, object }) => {
      const now = asyncScheduler.now();
      const held = late.filter(
        (each) =>
          each.plural === resource.plural &&
          each.name === object.metadata.name &&
          each.verb === verbs[type] &&
          each.dueMs >= now &&
          each.dueMs <= now + 2,
      );
      return Math.max(0, ...held.map(({ sentMs }) => now - sentMs));
    },
    staleMs: () => {
      const nowMs = asyncScheduler.now();
      return Math.max(longestDelayMs, nowMs <= blind.toMs ? nowMs - blind.fromMs : 0);
    },
    excuse: (fromMs, toMs) => troubles.some((each) => each.fromMs <= toMs && each.toMs >= fromMs),
    trouble,
    calm: () => {
      isCalm = true;
    },
  };
};

/** Each of these with a probability; the rest goes well. */
export const sometimes =
  <T>(probability: number, what: (random: () => number) => T) =>
  (_: unknown, random: () => number): T | undefined =>
    random() < probability ? what(random) : undefined;
