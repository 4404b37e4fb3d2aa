// The simulated cluster of the benchmark in a process of its own, so that it shares no event loop with whom it
// measures. Does what its parent says, one message at a time, and ends when told to or when the parent is gone.
import diagnostics from 'node:diagnostics_channel';
import { apiServer } from '../apiServer/apiServer.ts';
import { serveHttp } from '../http/serveHttp.ts';
import type { FromCluster, ToCluster } from './clusterMessages.ts';
import { populate } from './population.ts';
import { reactionsOf } from './reactions.ts';

const server = apiServer({ historyLimit: 100_000 });
let firstRequestMs: number | undefined;
let reactions: ReturnType<typeof reactionsOf> | undefined;

const answer = (message: FromCluster): void => {
  process.send?.(message);
};

const obey = async (message: ToCluster): Promise<void> => {
  switch (message.kind) {
    case 'serve': {
      const { machines, objects, bytes } = populate(server, message.sizes);
      reactions = reactionsOf(server, machines);
      const actor = (userAgent: string): string => (userAgent.startsWith('transship') ? 'daemon' : 'user');
      const { url } = await serveHttp(server, { actor });
      answer({ kind: 'serving', url, objects, bytes });
      break;
    }
    case 'expectDaemon':
      answer({ kind: 'expecting', previousFirstRequestMs: firstRequestMs });
      firstRequestMs = undefined;
      break;
    case 'disturb':
      if (reactions === undefined) throw new Error('expected to be told to serve before');
      answer({ kind: 'reacted', reactions: await reactions.measure(message.disturbance) });
      break;
    case 'end':
      process.exit(0);
      break;
    default:
      message satisfies never;
  }
};

diagnostics.subscribe('http.server.request.start', () => {
  firstRequestMs ??= performance.timeOrigin + performance.now();
});
process.on('message', (message) => void obey(message as ToCluster));
process.on('disconnect', () => process.exit(0));
