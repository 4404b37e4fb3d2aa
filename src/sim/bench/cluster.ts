// The benchmark's hold on the process of its simulated cluster: questions and answers, and its end.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromCluster, ToCluster } from './clusterMessages.ts';

export interface Cluster {
  /** Sends a message and resolves with the answer; rejects when the process ends instead. */
  ask<K extends FromCluster['kind']>(message: ToCluster, kind: K): Promise<Extract<FromCluster, { kind: K }>>;
  end(): Promise<void>;
}

/** Starts the process. It ends with this one at the latest. */
export const startCluster = (): Cluster => {
  const child = fork(fileURLToPath(new URL('clusterProcess.ts', import.meta.url)), {
    execArgv: ['--max-old-space-size=4096'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const gone = exited.then(([code, signal]): never => {
    throw new Error(`the simulated cluster has ended (${signal ?? code}); what it said stands above`);
  });
  // An end that was asked for is nobody's trouble.
  gone.catch(() => undefined);
  return {
    ask: async (message, kind) => {
      const answered = once(child, 'message');
      child.send(message);
      const [answer] = (await Promise.race([answered, gone])) as [FromCluster];
      if (answer.kind !== kind) throw new Error(`expected the answer ${kind}, got ${answer.kind}`);
      return answer as Extract<FromCluster, { kind: typeof kind }>;
    },
    end: async () => {
      if (child.connected) child.send({ kind: 'end' } satisfies ToCluster);
      await exited;
    },
  };
};
