// What can be chosen about the simulated KubeVirt. The defaults behave like the recordings (contract §4.6): controllers
// react within milliseconds, nodes take the times that the recordings' nodes took.

/** Things that happen to KubeVirt now and then; each is a probability or decides per VM (`namespace/name`). */
export type Chance = number | ((vm: string) => boolean);

export interface Accidents {
  /** The status write that records a repeated volume migration meets a conflict: `volumeUpdateState` stays empty (contract §0.3). */
  readonly losesMigrationRecord?: Chance;
  /** A revert's second write meets a conflict: VolumesChange stays True and nothing is aborted (contract §4.6, last line). */
  readonly losesCancellation?: Chance;
  /** The first write to the VMI's volumes meets a conflict: condition Failure for a moment (contract §2.1). */
  readonly failsFirstUpdate?: Chance;
}

export interface KubeVirtSettings {
  /** `spec.configuration.vmRolloutStrategy`. Default LiveUpdate. */
  readonly rolloutStrategy?: 'LiveUpdate' | 'Stage';
  /** `spec.workloadUpdateStrategy.workloadUpdateMethods`. Default LiveMigrate. */
  readonly workloadUpdateMethods?: readonly ('LiveMigrate' | 'Evict')[];
  /** `status.phase`. Default Deployed. */
  readonly phase?: string;
  readonly version?: string;
  readonly parallelMigrationsPerCluster?: number;
  readonly parallelOutboundMigrationsPerNode?: number;
}

export interface KubeVirtOptions {
  /** Settings of the KubeVirt CR that is created; `false`: none is created. */
  readonly settings?: KubeVirtSettings | false;
  /** From a change to a controller's reaction, in ms. Default 10. */
  readonly reactionMs?: number;
  /** Reaction times vary by this share of themselves. Default 0. */
  readonly jitter?: number;
  /** Numbers from 0 to 1 for jitter and accidents. Default always 0.5. */
  readonly random?: () => number;
  /** How far behind virt-controller's cache of VMs is, in ms: it starts VMs as they were then (contract §4.6). Default 0. */
  readonly vmCacheDelayMs?: number;
  /** How long virt-controller takes for one look at a VM, in ms; it does not see what comes meanwhile. Default 0. */
  readonly vmRunMs?: number;
  /** Throttle of the workload updater, in ms. Default 5000. */
  readonly throttleMs?: number;
  /** First back-off between failed attempts, in ms; doubles with each. Default 20,000. */
  readonly backoffMs?: number;
  /** How long a guest takes to shut down, in ms. Default 1100. */
  readonly shutdownMs?: number;
  /** How long virt-handler takes for each small step, in ms. Default 100. */
  readonly handlerMs?: number;
  /** How long a live copy takes, in ms. Default 2000. */
  readonly liveCopyMs?: number;
  /** From the switch-over until nodeName moves to the target, in ms. Default 320. */
  readonly handOverMs?: number;
  /** From the request to the end of an aborted live copy, in ms. Default 500. */
  readonly abortMs?: number;
  /** How long a virt-launcher waits for a domain before it ends, in ms. Default 240,000. */
  readonly launcherTimeoutMs?: number;
  /** How long the target launcher of a migration may be Pending before it is given up, in ms. Default 900,000. */
  readonly pendingTimeoutMs?: number;
  /** How long a node may be silent before its VMIs are called Failed, in ms. Default 300,000. */
  readonly nodeTimeoutMs?: number;
  readonly accidents?: Accidents;
  /** Divides every time above: 1 is as recorded. */
  readonly speed?: number;
}

export type Options = Required<Omit<KubeVirtOptions, 'settings' | 'accidents' | 'speed' | 'jitter'>> & {
  readonly accidents: Accidents;
  /** Time until a controller reacts, newly drawn each time. */
  readonly reaction: () => number;
  readonly happens: (accident: keyof Accidents, vm: string) => boolean;
};

/** The options with defaults filled in and times divided by `speed`. */
export const optionsOf = (given: KubeVirtOptions): Options => {
  const speed = given.speed ?? 1;
  const scaled = (ms: number | undefined, byDefault: number): number => (ms ?? byDefault) / speed;
  const random = given.random ?? (() => 0.5);
  const accidents = given.accidents ?? {};
  const reactionMs = scaled(given.reactionMs, 10);
  const jitter = given.jitter ?? 0;
  return {
    random,
    accidents,
    reactionMs,
    reaction: () => reactionMs * (1 + jitter * (2 * random() - 1)),
    happens: (accident, vm) => {
      const chance = accidents[accident] ?? 0;
      if (typeof chance === 'function') return chance(vm);
      return chance > 0 && random() < chance;
    },
    vmCacheDelayMs: scaled(given.vmCacheDelayMs, 0),
    vmRunMs: scaled(given.vmRunMs, 0),
    throttleMs: scaled(given.throttleMs, 5000),
    backoffMs: scaled(given.backoffMs, 20_000),
    shutdownMs: scaled(given.shutdownMs, 1100),
    handlerMs: scaled(given.handlerMs, 100),
    liveCopyMs: scaled(given.liveCopyMs, 2000),
    handOverMs: scaled(given.handOverMs, 320),
    abortMs: scaled(given.abortMs, 500),
    launcherTimeoutMs: scaled(given.launcherTimeoutMs, 240_000),
    pendingTimeoutMs: scaled(given.pendingTimeoutMs, 900_000),
    nodeTimeoutMs: scaled(given.nodeTimeoutMs, 300_000),
  };
};
