// What goes wrong between daemon and server in a random schedule, as data drawn up front, and the network that does it.
// A fault waits for its time and then befalls the next requests or events that it is meant for, so that every one of
// them happens and each can be left out alone.
import { asyncScheduler } from 'rxjs';
import type { EventFault, EventInfo, RequestFault, RequestInfo } from '../../src/sim/cluster.ts';
import { between, oneOf } from '../../src/sim/scenario/fleet.ts';
import { type Network, networkOf } from './network.ts';

export interface PlannedRequestFault {
  readonly kind: 'request';
  readonly atMs: number;
  /** Only requests with this verb, or of this kind; absent: any. */
  readonly verb?: RequestInfo['verb'];
  readonly plural?: string;
  /** How many requests in a row. */
  readonly times: number;
  readonly fault: RequestFault;
}

export interface PlannedEventFault {
  readonly kind: 'event';
  readonly atMs: number;
  readonly plural?: string;
  readonly times: number;
  readonly fault: EventFault;
}

export type PlannedFault = PlannedRequestFault | PlannedEventFault;

type Random = () => number;
type Draw<T> = (random: Random) => T;

const requestFaults: readonly [Draw<RequestFault>, ...Draw<RequestFault>[]] = [
  () => ({ kind: 'refuse', code: 409, reason: 'Conflict' }),
  () => ({ kind: 'refuse', code: 429, reason: 'TooManyRequests', retryAfterSeconds: 1 }),
  () => ({ kind: 'refuse', code: 500, reason: 'InternalError' }),
  () => ({ kind: 'refuse', code: 504, reason: 'Timeout' }),
  (random) => ({ kind: 'slow', ms: between(random, 10, 600) }),
  () => ({ kind: 'hang' }),
  (random) => ({ kind: 'land', ms: between(random, 1, 1400), answer: 'unknown' }),
  (random) => ({ kind: 'land', ms: between(random, 1, 1400), answer: 'never' }),
];

const eventFaults: readonly [Draw<EventFault>, ...Draw<EventFault>[]] = [
  (random) => ({ kind: 'delay', ms: between(random, 5, 800) }),
  (random) => ({ kind: 'delay', ms: between(random, 5, 800) }),
  () => ({ kind: 'duplicate' }),
  () => ({ kind: 'cut' }),
  () => ({ kind: 'expire' }),
];

/** At whom a fault of requests is aimed: half of them at whoever comes next, the others at writes that matter. */
const aims: readonly [Pick<PlannedRequestFault, 'verb' | 'plural'>, ...Pick<PlannedRequestFault, 'verb' | 'plural'>[]] =
  [
    {},
    {},
    {},
    {},
    {},
    {},
    { verb: 'patch', plural: 'virtualmachines' },
    { verb: 'patch', plural: 'storagemigrations' },
    { verb: 'create', plural: 'pods' },
    { verb: 'remove', plural: 'pods' },
    { verb: 'create', plural: 'persistentvolumeclaims' },
    { verb: 'get' },
    { verb: 'list' },
    { verb: 'watch' },
  ];

const watched = [
  undefined,
  undefined,
  'virtualmachines',
  'virtualmachineinstances',
  'virtualmachineinstancemigrations',
  'pods',
  'persistentvolumeclaims',
  'storagemigrations',
] as const;

const countOf = (random: Random, most: number): number =>
  random() < 0.4 ? 0 : 1 + Math.floor(most * random() * random());

const timesOf = (random: Random): number => (random() < 0.8 ? 1 : between(random, 2, 12));

/** Draws what goes wrong until `untilMs`; in a third of all schedules nothing does. */
export const planFaults = (random: Random, untilMs: number): readonly PlannedFault[] => {
  const requests = Array.from({ length: countOf(random, 24) }, (): PlannedFault => {
    const aim = oneOf(random, aims);
    const fault = oneOf(random, requestFaults)(random);
    return { kind: 'request', atMs: between(random, 0, untilMs), ...aim, times: timesOf(random), fault };
  });
  const events = Array.from({ length: countOf(random, 24) }, (): PlannedFault => {
    const plural = oneOf(random, watched);
    const fault = oneOf(random, eventFaults)(random);
    const aim = plural === undefined ? {} : { plural };
    return { kind: 'event', atMs: between(random, 0, untilMs), ...aim, times: timesOf(random), fault };
  });
  return [...requests, ...events].toSorted((a, b) => a.atMs - b.atMs);
};

/** What each fault is called where it is counted. */
export const faultName = ({ kind, fault }: PlannedFault): string =>
  `${kind} ${fault.kind === 'refuse' ? `refused with ${fault.code}` : fault.kind === 'land' ? `lands late, answer ${fault.answer}` : fault.kind}`;

export const faultNames: readonly string[] = [
  ...requestFaults.map((draw) => faultName({ kind: 'request', atMs: 0, times: 1, fault: draw(() => 0) })),
  ...new Set(eventFaults.map((draw) => faultName({ kind: 'event', atMs: 0, times: 1, fault: draw(() => 0) }))),
];

/** A name of its own, for it is what several delays come to. */
export const outOfOrder = 'events of two kinds out of order';

const isSilence = ({ verb, fault }: PlannedRequestFault): boolean => verb === 'watch' && fault.kind === 'hang';

export interface PlannedNetwork {
  readonly network: Network;
  /** From now on the times of the faults count. */
  begin(): void;
}

/** A network on which these faults happen and no others; `told` hears of each as it befalls something. */
export const networkWith = (faults: readonly PlannedFault[], told: (name: string) => void): PlannedNetwork => {
  let originMs = Number.POSITIVE_INFINITY;
  const waiting = faults.map((fault) => ({ fault, left: fault.times }));
  const heldUntilMs = new Map<string, number>();

  const next = <T extends PlannedFault>(is: (fault: PlannedFault) => fault is T): T | undefined => {
    const nowMs = asyncScheduler.now() - originMs;
    const found = waiting.find((each) => each.left > 0 && each.fault.atMs <= nowMs && is(each.fault));
    if (found === undefined) return undefined;
    found.left -= 1;
    told(faultName(found.fault));
    return found.fault as T;
  };

  const request = ({ verb, resource }: RequestInfo): RequestFault | undefined =>
    next(
      (fault): fault is PlannedRequestFault =>
        fault.kind === 'request' &&
        // A watch that hangs is noticed after minutes, so only those do that are meant to; nothing else holds one up.
        (verb !== 'watch' || fault.fault.kind === 'refuse' || isSilence(fault)) &&
        (fault.verb ?? verb) === verb &&
        (fault.plural ?? resource.plural) === resource.plural,
    )?.fault;

  const event = ({ resource }: EventInfo): EventFault | undefined => {
    const nowMs = asyncScheduler.now();
    const { plural } = resource;
    const isBehind = (heldUntilMs.get(plural) ?? 0) > nowMs;
    if (!isBehind && [...heldUntilMs].some(([, untilMs]) => untilMs > nowMs)) told(outOfOrder);
    const fault = next(
      (each): each is PlannedEventFault => each.kind === 'event' && (each.plural ?? plural) === plural,
    )?.fault;
    if (fault?.kind === 'delay') heldUntilMs.set(plural, nowMs + fault.ms);
    return fault;
  };

  return {
    network: networkOf({ request, event }),
    begin: () => {
      originMs = asyncScheduler.now();
    },
  };
};
