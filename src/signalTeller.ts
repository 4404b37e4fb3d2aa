// Tells the log and the metrics what the watches hear: each trouble when it comes and when it has gone, and an object
// that cannot be read once for each thing that is wrong with it.
import type { Log } from './core/log.ts';
import type { Kept } from './core/objects.ts';
import type { Metrics } from './observe/metrics.ts';
import type { ObjectIdentity, WatchSignal } from './streams/watchSignal.ts';

/** Most objects that cannot be read whose complaint is remembered; with more it may be repeated. */
const mostComplaints = 1000;

/** Makes the function that tells of a signal of the watch of a kind. */
export const signalTeller = (log: Log, metrics: () => Metrics, now: () => number) => {
  /** Since when each watch is in trouble, by kind and scope. */
  const troubledMs = new Map<string, number>();
  /** What was last said about each object that cannot be read: it may change every second and be as bad as before. */
  const complaints = new Map<string, string>();
  const settled = (kind: string, { namespace, name }: ObjectIdentity): void => {
    if (complaints.size === 0 || !complaints.delete(`${kind} ${namespace}/${name}`)) return;
    log.info('An object that could not be read can be read again, or is gone', {
      kind,
      object: `${namespace}/${name}`,
    });
  };
  return (kind: string, signal: WatchSignal<Kept>): void => {
    const { scope } = signal;
    const watch = `${kind} ${scope}`;
    const isHeard = signal.kind !== 'trouble' && signal.kind !== 'init' && signal.kind !== 'listed';
    const sinceMs = isHeard ? troubledMs.get(watch) : undefined;
    if (sinceMs !== undefined) {
      troubledMs.delete(watch);
      log.info('A watch works again', { kind, scope, afterMs: now() - sinceMs });
    }
    switch (signal.kind) {
      case 'trouble':
        metrics().watchRestarted(kind);
        metrics().watchEvent(kind, 'error');
        if (!troubledMs.has(watch)) troubledMs.set(watch, now());
        log.warn('A watch failed and is tried again', {
          kind,
          scope,
          attempt: signal.attempt,
          delayMs: Math.round(signal.delayMs),
          reason: signal.failure.message,
        });
        break;
      case 'malformed': {
        const { namespace, name, field, message } = signal.malformed;
        const object = `${namespace}/${name}`;
        if (complaints.get(`${kind} ${object}`) === message) break;
        if (complaints.size >= mostComplaints) complaints.clear();
        complaints.set(`${kind} ${object}`, message);
        log.error('An object cannot be read and is left alone', { kind, object, field, reason: message });
        break;
      }
      case 'ready':
        log.info('A kind was listed', { kind, scope });
        break;
      case 'listed':
      case 'applied':
        metrics().watchEvent(kind, signal.kind);
        settled(kind, signal.object);
        break;
      case 'deleted':
        metrics().watchEvent(kind, 'deleted');
        settled(kind, signal.identity);
        break;
      case 'bookmark':
        metrics().watchEvent(kind, 'bookmark');
        break;
      case 'init':
      case 'ignored':
        break;
      default:
        signal satisfies never;
    }
  };
};
