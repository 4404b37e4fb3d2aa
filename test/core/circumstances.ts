// What decisions are given beside facts, for tests.
import type { Circumstances, Decision, Limits } from '../../src/core/decision.ts';
import { startMs } from './builders.ts';

export const limits: Limits = {
  cutOverQuietMs: 5000,
  maxLiveAttempts: 3,
  maxFailedMigrations: 5,
  maxCopyFailures: 3,
  copyRetryMs: 1000,
  gatherMs: 5000,
};

/** Everything may be started. */
export const clear = (fields: Partial<Circumstances> = {}): Circumstances => ({
  clearance: { kind: 'clear' },
  limits,
  now: startMs,
  ...fields,
});

/** Nothing may be started. */
export const held = (fields: Partial<Circumstances> = {}): Circumstances =>
  clear({ clearance: { kind: 'wait', for: 'the machine to settle' }, ...fields });

/** A decision in one line, for tables: its commands and, without any, what it says instead. */
export const told = (decision: Decision): string => {
  if (decision.attention !== undefined) return `attention ${decision.attention.reason}`;
  if (decision.commands.length === 0) return `wait: ${decision.waitingFor || decision.phase}`;
  return decision.commands
    .map((command) => {
      switch (command.kind) {
        case 'record':
          return `record ${command.why}`;
        case 'revert':
          return `revert ${command.cause}`;
        case 'createClaim':
          return `createClaim ${command.disk.target}`;
        case 'deleteSource':
          return `deleteSource ${command.disk.source}`;
        default:
          return command.kind;
      }
    })
    .join(', ');
};
