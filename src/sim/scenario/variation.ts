// What the table of rows leaves open: strategies, how machines are stopped, what their disks are, when people act.
/** What the table leaves open. */
export interface Variation {
  readonly namespace: string;
  /** Of machines that are on at the start. */
  readonly strategyOn: 'Always' | 'Manual' | 'RerunOnFailure' | 'running';
  /** Of machines that are off at the start. */
  readonly strategyOff: 'Halted' | 'Manual' | 'RerunOnFailure' | 'stopped';
  readonly stopBy: 'api' | 'guest shutdown' | 'guest crash' | 'deleting the VMI';
  readonly disksEach: number;
  /** How long after the row's moment people act, in ms. */
  readonly delayMs: number;
  readonly server: 'Shared' | 'PerVirtualMachine';
  /** What the disks of each machine are, over and over. Default a plain claim each. */
  readonly diskKinds?: readonly DiskKind[];
  /** What source and target of each disk are, over and over, counted through all machines. Default file systems. */
  readonly volumeModes?: readonly VolumeModes[];
  /** `spec.transfer.bandwidthLimit`. Default none. */
  readonly bandwidthLimit?: string;
  /**
   * The copy pods at the row's moment: kept Pending, all Running, or every client has said that it copies. Default as
   * they happen to be.
   */
  readonly copyPods?: 'pending' | 'running' | 'copying';
  /**
   * Absent: people act at the row's moment. `any`: they act `delayMs` after the migration was made, wherever it stands
   * then; nothing is held back, and only the end is judged.
   */
  readonly moment?: 'any';
  /** People act after this time at the latest, even if the row's moment has not come, in ms. Default they wait. */
  readonly patienceMs?: number;
  /** So often they then change their minds, each time after `gapMs`; a refusal they shrug off. Only the end is judged. */
  readonly flaps?: { readonly times: number; readonly gapMs: number };
  /** The row has failed when it is not through after this time, in ms. */
  readonly timeoutMs: number;
}

/** A claim named as such; through a DataVolume; through a DataVolume made from the machine's template; hotplugged. */
export type DiskKind = 'claim' | 'dataVolume' | 'template' | 'hotplug';

export interface VolumeModes {
  readonly source: 'Filesystem' | 'Block';
  readonly target: 'Filesystem' | 'Block';
}

export const usualVariation: Variation = {
  namespace: 'shop',
  strategyOn: 'Always',
  strategyOff: 'Halted',
  stopBy: 'api',
  disksEach: 1,
  delayMs: 0,
  server: 'Shared',
  timeoutMs: 300_000,
};
