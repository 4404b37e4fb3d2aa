// Where the simulation may differ from a recording, and why: the only such list. Everything else must be the same
// sequence of values. What two recordings of one scenario differ in needs no entry: either of them is right.

export interface Freedom {
  /** What the object's name must match. */
  readonly object: RegExp;
  readonly field: string;
  /** Values that may come and go between others without meaning anything. */
  readonly passing: readonly string[];
  readonly why: string;
}

export const freedoms: readonly Freedom[] = [
  {
    object: /^VM /,
    field: 'condition Failure',
    passing: ['True VolumesUpdateError'],
    why: 'optimistic locks are retried: a write that met another shows as Failure for some milliseconds',
  },
  {
    object: /^VM /,
    field: 'printableStatus',
    passing: ['Stopped'],
    why: 'between the creation of a VMI and its arrival in the cache a VM is shown as Stopped, or is not',
  },
  {
    object: /^VM /,
    field: 'condition Ready',
    passing: ['False VMINotExists', 'False VMIConditionMissing', 'False GuestNotRunning', 'False PodTerminating'],
    why: 'the VM mirrors its VMI when it gets to it, and may miss a reason that lasted some milliseconds',
  },
  {
    object: / VMI \d+$/,
    field: 'condition Ready',
    passing: ['False GuestNotRunning', 'False PodTerminating'],
    why: 'which of two reasons a VMI that ends shows first depends on whether its pod or its guest was seen first',
  },
  {
    object: /^VM /,
    field: 'condition ManualRecoveryRequired',
    passing: ['True VMI was removed or was final during the volume migration'],
    why: 'when KubeVirt starts a VM again at once it is seen for some milliseconds, or never (contract §4.1, §4.6)',
  },
];
