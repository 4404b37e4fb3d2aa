// What the daemon says about itself: the interface of its log, so that no part but observe/log.ts knows the library.
// Messages are constant (one message, one place in the sources); everything that varies is a field.

/** Fields of one line. An Error goes under `err`; times end in Ms or Seconds, sizes in Bytes. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** The process is about to end because of this. */
  fatal(message: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too. */
  child(fields: LogFields): Log;
}
