// A write about a machine that the API server will not take, again and again: a quota or a webhook against a target claim,
// a webhook against the VM, which KubeVirt looks at as a whole with every patch (contract §7). Told to a person in the
// server's words, while the daemon goes on trying. Pure; for status alone, nothing is decided by it.
import { ended, patienceMs } from './copyTrouble.ts';
import type { Attention, Command } from './decision.ts';

/** Writes about a machine whose refusal people are told of. */
export type ToldWrite = Extract<Command['kind'], 'createClaim' | 'startLive' | 'revert' | 'repair' | 'cutOver'>;

export interface WriteRefusal {
  readonly write: ToldWrite;
  readonly message: string;
  /** Clock readings, in ms, of the first and the last time in a row. */
  readonly sinceMs: number;
  readonly lastMs: number;
}

const told: ReadonlySet<string> = new Set<ToldWrite>(['createClaim', 'startLive', 'revert', 'repair', 'cutOver']);

/** Whether people are told where `kind` is refused. */
export const isTold = (kind: Command['kind']): kind is ToldWrite => told.has(kind);

/** What to tell of a write that is still to be made; undefined unless its refusal lasts. */
export const writeTroubleOf = (
  refusal: WriteRefusal | undefined,
  commands: readonly Pick<Command, 'kind'>[],
  now: number,
): Attention | undefined => {
  if (refusal === undefined || now - refusal.sinceMs < patienceMs) return undefined;
  const { write, sinceMs } = refusal;
  if (commands.every(({ kind }) => kind !== write)) return undefined;
  const found = `since ${new Date(sinceMs).toISOString()}: ${ended(refusal.message)}`;
  if (write === 'createClaim') {
    const message = `The API server has refused to make a target claim ${found} Mend that, or make the claim yourself.`;
    return { reason: 'TargetClaimRefused', message };
  }
  const danger =
    write === 'revert' ? ' Until then the VM names target claims that are not whole: do not start it.' : '';
  const message = `The VM could not be patched ${found} Mend that; the patch is sent again until it is taken.${danger}`;
  return { reason: 'PatchRefused', message };
};
