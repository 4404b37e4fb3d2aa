// What is read when metrics are scraped. main makes it from the stores and the latest decisions at that very moment,
// so a gauge cannot drift away from what the daemon knows.

export type ObservedMode = 'live' | 'offline' | 'hold' | 'done';

export interface ObservedWatch {
  /** Plural of the kind, for example `pods`. */
  readonly kind: string;
  readonly synced: boolean;
  /** Undefined before the first event. */
  readonly lastEventAgeSeconds: number | undefined;
  readonly objects: number;
  readonly malformed: number;
}

/** The offline copies that run, taken together; as of their last progress lines. */
export interface ObservedCopies {
  readonly running: number;
  readonly bytes: number;
  readonly expectedBytes: number;
  readonly bytesPerSecond: number;
}

export interface Observed {
  /** How many machines are in each mode; a mode that is absent counts 0. */
  readonly virtualMachines: Readonly<Partial<Record<ObservedMode, number>>>;
  readonly virtualMachinePhases: readonly {
    readonly kind: 'live' | 'offline';
    readonly phase: string;
    readonly count: number;
  }[];
  /** How many StorageMigrations are in each phase. */
  readonly storageMigrations: Readonly<Record<string, number>>;
  readonly copies: ObservedCopies;
  readonly watches: readonly ObservedWatch[];
}
