// `status.migrationState`, which a VMI and a VMIM carry in the same shape (contract §2.4).
import type { MigrationState } from '../../core/objects.ts';
import { type Fields, flag, section, share, text } from './fields.ts';

/** Undefined when no migration was ever handed over. */
export const migrationStateOf = (status: Fields): MigrationState | undefined => {
  const found = status['migrationState'];
  if (found === undefined || found === null) return undefined;
  const at = 'status.migrationState';
  const state = section(status, 'migrationState', 'status');
  return {
    migrationUid: text(state, 'migrationUid', at),
    sourceNode: share(text(state, 'sourceNode', at)),
    sourcePod: text(state, 'sourcePod', at),
    targetNode: share(text(state, 'targetNode', at)),
    targetPod: text(state, 'targetPod', at),
    startTimestamp: text(state, 'startTimestamp', at),
    endTimestamp: text(state, 'endTimestamp', at),
    targetNodeDomainReadyTimestamp: text(state, 'targetNodeDomainReadyTimestamp', at),
    completed: flag(state, 'completed', at),
    failed: flag(state, 'failed', at),
    failureReason: text(state, 'failureReason', at),
    mode: text(state, 'mode', at),
  };
};
