// What the benchmark and the process of its simulated cluster say to each other.
import type { Sizes } from './population.ts';
import type { Disturbance, Reactions } from './reactions.ts';

export type ToCluster =
  | { readonly kind: 'serve'; readonly sizes: Sizes }
  /** Forget the first request, because a new daemon is about to be started. */
  | { readonly kind: 'expectDaemon' }
  | { readonly kind: 'disturb'; readonly disturbance: Disturbance }
  | { readonly kind: 'end' };

/** Answers, one for each message but `end`. */
export type FromCluster =
  | { readonly kind: 'serving'; readonly url: string; readonly objects: number; readonly bytes: number }
  | { readonly kind: 'expecting'; readonly previousFirstRequestMs: number | undefined }
  | { readonly kind: 'reacted'; readonly reactions: Reactions };
