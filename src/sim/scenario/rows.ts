// The nine rows of design §2 as data: who is on, what changes when, and what must be seen in which order. The table
// is the mission; demo and tests play it from here and nowhere else.

/** What has to be true before people act. Each is a set of milestones that must have been seen, or a pod's state. */
export type Moment =
  /** The copy server and a client for each machine that is off exist. */
  | 'copy pods exist'
  /** The second virt-launcher is Running; the copy is under way. */
  | 'second launcher runs'
  /** The second virt-launcher exists and is not Running. */
  | 'second launcher pending'
  /** Every machine's migration has begun, live or offline. */
  | 'all have begun';

export interface Row {
  readonly number: number;
  readonly title: string;
  /** What must happen then, for people to read; `chains` and `never` are what is judged. */
  readonly expected: string;
  /** The machines, and whether each is on at the start. */
  readonly machines: readonly { readonly name: string; readonly on: boolean }[];
  readonly moment: Moment;
  /** Who is then started (if off) or stopped (if on). */
  readonly changed: readonly string[];
  /** Each chain must be seen in this order; other things may come between. */
  readonly chains: readonly (readonly string[])[];
  /** Must not be seen at all. */
  readonly never: readonly string[];
}

const off = (name: string) => ({ name, on: false });
const on = (name: string) => ({ name, on: true });

/** Stopped in the middle of a live migration: everything until its own offline copy is through. */
const fromLiveToOffline = (name: string): readonly string[] => [
  `live migration of ${name} begins`,
  `${name} reverted`,
  `launchers of ${name} gone`,
  `client of ${name} created`,
  `copy of ${name} complete`,
  `${name} cut over`,
  `${name} is done`,
];

const liveToTheEnd = (name: string): readonly string[] => [
  `live migration of ${name} begins`,
  `${name} switched over`,
  `${name} is done`,
];

/** Started in the middle of an offline copy: client and server go, then it is moved live. */
const fromOfflineToLive = (name: string): readonly string[] => [
  'server created',
  `client of ${name} created`,
  `client of ${name} deleted`,
  `client of ${name} gone`,
  ...liveToTheEnd(name),
];

export const rows: readonly Row[] = [
  {
    number: 1,
    title: 'one VM off, started while its copy pods exist',
    expected: 'client and server go; when both are gone a is moved live',
    machines: [off('a')],
    moment: 'copy pods exist',
    changed: ['a'],
    chains: [fromOfflineToLive('a'), ['server created', 'server deleted', 'server gone', 'live migration of a begins']],
    never: ['copy of a complete', 'a cut over', 'a reverted', 'server 2 created'],
  },
  {
    number: 2,
    title: 'one VM on, stopped while the second virt-launcher runs',
    expected: 'a is reverted; when its virt-launchers are gone it is copied offline and cut over',
    machines: [on('a')],
    moment: 'second launcher runs',
    changed: ['a'],
    chains: [fromLiveToOffline('a'), ['launchers of a gone', 'server created', 'server gone', 'a cut over']],
    never: ['a switched over', 'server 2 created'],
  },
  {
    number: 3,
    title: 'one VM on, stopped while the second virt-launcher does not run yet',
    expected:
      'a is reverted; when both virt-launchers, the waiting one too, are gone it is copied offline and cut over',
    machines: [on('a')],
    moment: 'second launcher pending',
    changed: ['a'],
    chains: [fromLiveToOffline('a'), ['launchers of a gone', 'server created', 'server gone', 'a cut over']],
    never: ['a switched over', 'server 2 created'],
  },
  {
    number: 4,
    title: 'two VMs off, one is started while the copy pods exist',
    expected: "a's client goes at once; b's copy completes and b is cut over; when the server is gone a is moved live",
    machines: [off('a'), off('b')],
    moment: 'copy pods exist',
    changed: ['a'],
    chains: [
      fromOfflineToLive('a'),
      ['client of a deleted', 'copy of b complete', 'server gone', 'live migration of a begins'],
      ['copy of b complete', 'server gone', 'b cut over', 'b is done'],
    ],
    never: ['client of b deleted', 'copy of a complete', 'live migration of b begins', 'server 2 created'],
  },
  {
    number: 5,
    title: 'two VMs off, both are started while the copy pods exist',
    expected: 'clients and server go; when every copy pod is gone both are moved live',
    machines: [off('a'), off('b')],
    moment: 'copy pods exist',
    changed: ['a', 'b'],
    chains: [
      fromOfflineToLive('a'),
      fromOfflineToLive('b'),
      ['client of a gone', 'live migration of b begins'],
      ['client of b gone', 'live migration of a begins'],
      ['server gone', 'live migration of a begins'],
      ['server gone', 'live migration of b begins'],
    ],
    never: ['copy of a complete', 'copy of b complete', 'a cut over', 'b cut over', 'server 2 created'],
  },
  {
    number: 6,
    title: 'two VMs on, one is stopped after both live migrations began',
    expected:
      'b is moved live undisturbed; a is reverted, copied offline when its virt-launchers are gone, and cut over',
    machines: [on('a'), on('b')],
    moment: 'all have begun',
    changed: ['a'],
    chains: [
      fromLiveToOffline('a'),
      liveToTheEnd('b'),
      ['launchers of a gone', 'server created', 'server gone', 'a cut over'],
    ],
    never: ['b reverted', 'client of b created', 'a switched over'],
  },
  {
    number: 7,
    title: 'two VMs on, both are stopped',
    expected: 'both are reverted, copied offline when their virt-launchers are gone, and cut over',
    machines: [on('a'), on('b')],
    moment: 'all have begun',
    changed: ['a', 'b'],
    chains: [fromLiveToOffline('a'), fromLiveToOffline('b'), ['server created', 'server gone', 'a cut over']],
    never: ['a switched over', 'b switched over', 'client of a deleted', 'client of b deleted'],
  },
  {
    number: 8,
    title: 'one VM on, one off; the one that is off is started after both began',
    expected: "b's client and the server go and b is moved live; a is moved live undisturbed",
    machines: [on('a'), off('b')],
    moment: 'all have begun',
    changed: ['b'],
    chains: [
      liveToTheEnd('a'),
      fromOfflineToLive('b'),
      ['server deleted', 'server gone', 'live migration of b begins'],
    ],
    never: ['a reverted', 'b cut over', 'server 2 created'],
  },
  {
    number: 9,
    title: 'one VM on, one off; the one that is on is stopped after both began',
    expected: 'a is reverted; the running copy of b completes first; then a second server copies a; both are cut over',
    machines: [on('a'), off('b')],
    moment: 'all have begun',
    changed: ['a'],
    chains: [
      fromLiveToOffline('a'),
      ['copy of b complete', 'server gone', 'server 2 created', 'client of a created'],
      ['copy of b complete', 'b cut over', 'b is done'],
    ],
    never: ['a switched over', 'client of b deleted', 'live migration of b begins'],
  },
];
