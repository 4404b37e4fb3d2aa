// Remembers what this process wrote until its own stores have seen it: nothing is started for a machine or a group
// while that is open (law 9, style §3 rule 5). It is a brake, never a source of facts: losing it costs time only,
// because a new process begins with the start-up hold.
import type { Clearance } from '../core/decision.ts';
import type { Reading, WrittenKind } from '../core/reading.ts';
import { compareVersions } from '../core/resourceVersion.ts';

export interface OwnWrites {
  /** A write was carried out and made this version. `topic` is what must not be started on before it was seen. */
  wrote(topic: string, kind: WrittenKind, namespace: string, resourceVersion: string): void;
  /** A write was sent and not answered: it may land until `lateWriteMs` from now. */
  uncertain(topic: string): void;
  /** Whether a write of this kind was carried out and not seen yet: what is decided now may be an echo of it. */
  isUnseen(topic: string, kind: WrittenKind, reading: Reading): boolean;
  /** Whether everything written about these topics has been seen. */
  clearanceOf(topics: readonly string[], reading: Reading): Clearance;
  /** Forgets a topic that is no longer there. */
  forget(topic: string): void;
}

export interface OwnWritesOptions {
  readonly now: () => number;
  /** How long a write that was not answered may still land. */
  readonly lateWriteMs: number;
  /** After this a write counts as seen, whatever the versions say: they may not be comparable. */
  readonly unseenMs: number;
}

/** A write is usually seen within milliseconds, and being seen is no event of its own. */
const askAgainMs = 50;

interface Pending {
  readonly kind: WrittenKind;
  readonly namespace: string;
  readonly resourceVersion: string;
  readonly untilMs: number;
}

interface Topic {
  readonly pending: Map<WrittenKind, Pending>;
  uncertainUntilMs: number;
}

/** Makes the memory of one process. */
export const ownWrites = ({ now, lateWriteMs, unseenMs }: OwnWritesOptions): OwnWrites => {
  const topics = new Map<string, Topic>();
  const topicOf = (name: string): Topic => {
    const known = topics.get(name);
    if (known !== undefined) return known;
    const topic: Topic = { pending: new Map(), uncertainUntilMs: 0 };
    topics.set(name, topic);
    return topic;
  };
  const isSeen = (write: Pending, reading: Reading): boolean => {
    const seen = reading.seenVersion(write.kind, write.namespace);
    return (compareVersions(seen, write.resourceVersion) ?? -1) >= 0 || now() >= write.untilMs;
  };
  return {
    wrote: (name, kind, namespace, resourceVersion) => {
      topicOf(name).pending.set(kind, { kind, namespace, resourceVersion, untilMs: now() + unseenMs });
    },
    uncertain: (name) => {
      topicOf(name).uncertainUntilMs = now() + lateWriteMs;
    },
    isUnseen: (name, kind, reading) => {
      const write = topics.get(name)?.pending.get(kind);
      return write !== undefined && !isSeen(write, reading);
    },
    clearanceOf: (names, reading) => {
      for (const name of names) {
        const topic = topics.get(name);
        if (topic === undefined) continue;
        const uncertainMs = topic.uncertainUntilMs - now();
        if (uncertainMs > 0) {
          return { kind: 'wait', for: 'a write that was not answered to be certain', checkAgainMs: uncertainMs };
        }
        for (const [kind, write] of topic.pending) {
          if (!isSeen(write, reading))
            return { kind: 'wait', for: 'our last write to be seen', checkAgainMs: askAgainMs };
          topic.pending.delete(kind);
        }
        if (topic.pending.size === 0) topics.delete(name);
      }
      return { kind: 'clear' };
    },
    forget: (name) => {
      topics.delete(name);
    },
  };
};
