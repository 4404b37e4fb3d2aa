// How long a write of our own may stay unseen: the bridge between the watches, which know how silence is noticed, and
// the memory of own writes (effects/ownWrites.ts), which knows nothing of watches.
import { usualIdleMs, type WatchKindOptions } from './watchKind.ts';

/** A list after a silent watch has been broken off, with the wait before it and a retry, in ms. */
const listAgainMs = 60_000;

/**
 * After this a write of our own counts as seen although the store never showed its version: not before a watch that has
 * fallen silent was broken off and has listed again, or a patch that landed would be taken for one that never did.
 */
export const unseenMs = ({ idleMs = usualIdleMs }: WatchKindOptions): number => idleMs + listAgainMs;
