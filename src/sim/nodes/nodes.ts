// The nodes of the simulated cluster: scheduler, kubelets, and claims. Pods of any kind run here through runners; those
// that no runner knows run until they are asked to stop. Times default to those of the recordings.
import { map, type Observable, Subject, Subscription, take } from 'rxjs';
import type { ApiServer } from '../cluster.ts';
import type { Pod } from '../kubevirt/objects.ts';
import { claimBinder } from './claimBinder.ts';
import type { ContainerEnd, ContainerRunner } from './containerRunner.ts';
import { kubelets } from './kubelet.ts';
import { scheduler } from './scheduler.ts';

export interface NodesOptions {
  /** Default node1 and node2. A live migration needs two. */
  readonly names?: readonly string[];
  /** From a pod's creation to its node, in ms. Default 230. */
  readonly scheduleMs?: number;
  /** From the node to running containers, in ms. Default 530. */
  readonly startMs?: number;
  /** From the end of a deleted pod's containers to its removal, in ms. Default 310. */
  readonly removeMs?: number;
  /** How long a kubelet first waits for a Secret that is missing, in ms. Default 500. */
  readonly mountRetryMs?: number;
  /** Gives each pod an address of its own as it starts. Default addresses of a pod network that does not exist. */
  readonly nextAddress?: () => string;
  /** From a claim's creation to Bound, in ms. Default 2. */
  readonly bindMs?: number;
  /** Storage classes whose claims are bound when the first pod that mounts them has a node. Default none. */
  readonly waitForFirstConsumer?: readonly string[];
  /** Run what is in the pods they know; asked in this order. */
  readonly runners?: readonly ContainerRunner[];
  /** Divides every time above. Default 1. */
  readonly speed?: number;
}

export interface Nodes {
  readonly names: readonly string[];
  /** Adds a runner, asked before those that were there. */
  addRunner(runner: ContainerRunner): void;
  /** Keeps pods Pending for which this is true; the returned function ends it. */
  hold(isHeld: (pod: Pod) => boolean): () => void;
  /** Keeps pods from starting their containers until the returned function is called; they have a node and an address. */
  holdContainers(isHeld: (pod: Pod) => boolean): () => void;
  /** Takes no new pods. */
  cordon(node: string): void;
  uncordon(node: string): void;
  /** The node stops reporting and obeying; what runs there runs on unseen. */
  lose(node: string): void;
  /** The node is back and catches up. */
  recover(node: string): void;
  /** Lost, or switched off with all others. */
  isLost(node: string): boolean;
  /** Nodes as they are lost. */
  readonly lost$: Observable<string>;
  /** Nodes as they come back. */
  readonly recovered$: Observable<string>;
  /** Looks at all pods without a node again. */
  reschedule(): void;
  unsubscribe(): void;
}

const untilStopped = (stop$: Observable<void>): Observable<ContainerEnd> =>
  stop$.pipe(
    take(1),
    map(() => ({ exitCode: 0 })),
  );

/** Addresses as pod networks have them, each once. */
const podNetwork = (): (() => string) => {
  let given = 0;
  return () => {
    given += 1;
    return `10.${244 + Math.floor(given / 65_536)}.${Math.floor(given / 256) % 256}.${given % 256}`;
  };
};

/** Runs the nodes until unsubscribed. */
export const nodes = (server: ApiServer, options: NodesOptions = {}): Nodes => {
  const names = options.names ?? ['node1', 'node2'];
  const scaled = (ms: number | undefined, byDefault: number): number => (ms ?? byDefault) / (options.speed ?? 1);
  const runners: ContainerRunner[] = [...(options.runners ?? [])];
  const holds = new Set<(pod: Pod) => boolean>();
  const containerHolds = new Set<(pod: Pod) => boolean>();
  const cordoned = new Set<string>();
  const lost = new Set<string>();
  const lost$ = new Subject<string>();
  const recovered$ = new Subject<string>();
  const subscriptions = new Subscription();
  const binding = claimBinder(server, {
    bindMs: scaled(options.bindMs, 2),
    waitForFirstConsumer: options.waitForFirstConsumer ?? [],
  });
  const placing = scheduler(server, {
    nodes: names,
    scheduleMs: scaled(options.scheduleMs, 230),
    isClosed: (node) => cordoned.has(node) || lost.has(node),
    isHeld: (pod) => [...holds].some((isHeld) => isHeld(pod)),
  });
  const running = kubelets(server, {
    startMs: scaled(options.startMs, 530),
    removeMs: scaled(options.removeMs, 310),
    mountRetryMs: scaled(options.mountRetryMs, 500),
    nextAddress: options.nextAddress ?? podNetwork(),
    isLost: (node) => lost.has(node),
    isHeld: (pod) => [...containerHolds].some((isHeld) => isHeld(pod)),
    runner: (pod, stop$) => {
      for (const runner of runners) {
        const run$ = runner(pod, stop$);
        if (run$ !== undefined) return run$;
      }
      return untilStopped(stop$);
    },
  });
  subscriptions.add(binding);
  subscriptions.add(placing.subscription);
  subscriptions.add(running.subscription);
  const open = (from: Set<string>, node: string): void => {
    from.delete(node);
    placing.wakeAll();
  };
  return {
    names,
    addRunner: (runner) => runners.unshift(runner),
    hold: (isHeld) => {
      holds.add(isHeld);
      return () => {
        holds.delete(isHeld);
        placing.wakeAll();
      };
    },
    holdContainers: (isHeld) => {
      containerHolds.add(isHeld);
      return () => {
        containerHolds.delete(isHeld);
        running.startHeld();
      };
    },
    cordon: (node) => cordoned.add(node),
    uncordon: (node) => open(cordoned, node),
    lose: (node) => {
      lost.add(node);
      lost$.next(node);
    },
    lost$: lost$.asObservable(),
    recovered$: recovered$.asObservable(),
    reschedule: placing.wakeAll,
    recover: (node) => {
      open(lost, node);
      running.wakeNode(node);
      recovered$.next(node);
    },
    isLost: (node) => subscriptions.closed || lost.has(node),
    unsubscribe: () => subscriptions.unsubscribe(),
  };
};
