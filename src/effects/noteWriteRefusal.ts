// Keeps in mind which writes about a machine the API server will not take, and since when, for the status that people
// read. Nothing is decided from it.
import type { Command } from '../core/decision.ts';
import { keyText, type MachineKey } from '../core/reading.ts';
import { isTold } from '../core/writeTrouble.ts';
import type { EffectDeps } from './deps.ts';
import type { Outcome } from './outcome.ts';

/**
 * Kept from the first time in a row. A webhook that says no and a claim that is not valid are conflicts, as outcome.ts
 * reads answers; somebody who was faster is one for moments.
 */
export const noteWriteRefusal = (
  command: Command | undefined,
  outcome: Outcome,
  key: MachineKey,
  { writeRefusals, limits, now }: Pick<EffectDeps, 'writeRefusals' | 'limits' | 'now'>,
): void => {
  if (command === undefined || !isTold(command.kind)) return;
  const topic = keyText(key);
  const before = writeRefusals.get(topic);
  const isSameWrite = before?.write === command.kind;
  if (outcome.kind === 'done' && isSameWrite) writeRefusals.delete(topic);
  if (outcome.kind !== 'refused' && outcome.kind !== 'conflict') return;
  const lastMs = now();
  const inARow = isSameWrite && lastMs - before.lastMs <= 2 * limits.retryMaxMs + limits.moveGapMs;
  const sinceMs = inARow ? before.sinceMs : lastMs;
  writeRefusals.set(topic, { write: command.kind, message: outcome.message, sinceMs, lastMs });
};
