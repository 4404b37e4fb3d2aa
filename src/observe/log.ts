// The log: one JSON object a line on stdout, for a collector to read (people pipe it through a viewer of their own).
// Guarantees that no secret is printed (redactFields.ts), that lines are written when the call returns, so that nothing is
// lost when the process ends, and that logging never throws.
import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Log, LogFields } from '../core/log.ts';
import { redactFields } from './redactFields.ts';

export type { Log, LogFields } from '../core/log.ts';

/** From the most to the least talkative; `silent` writes nothing. */
const logLevels = ['debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Where lines go, each with its newline; stdout if absent. */
  readonly destination?: { write(line: string): void };
  /** Fields of every line, for example the version. */
  readonly fields?: LogFields;
}

type PrintedLevel = Exclude<LogLevel, 'silent'>;

function safeFields(fields: LogFields): Record<string, unknown> {
  try {
    return redactFields(fields);
  } catch (error) {
    // A getter that throws must not turn a log line into the failure that it reports.
    return { unprintable: String(error) };
  }
}

function logOf(printer: Logger): Log {
  const print =
    (level: PrintedLevel) =>
    (message: string, fields?: LogFields): void => {
      if (printer.isLevelEnabled(level)) {
        printer[level](fields === undefined ? {} : safeFields(fields), message);
      }
    };
  return {
    debug: print('debug'),
    info: print('info'),
    warn: print('warn'),
    error: print('error'),
    fatal: print('fatal'),
    child: (fields) => logOf(printer.child(safeFields(fields))),
  };
}

/** Makes the log of the process. Fields: `level`, `time` (ISO 8601, UTC), `msg`, an error under `err`. */
export function createLog(options: LogOptions): Log {
  const printer: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      // Errors are plain data by the time they reach the printer.
      serializers: { err: (value: unknown) => value },
    },
    options.destination ?? destination({ fd: 1, sync: true }),
  );
  return logOf(options.fields === undefined ? printer : printer.child(safeFields(options.fields)));
}
