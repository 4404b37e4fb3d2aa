// Explores small worlds to the end: every order of events, writes, failures and acts of people, with the daemon's view
// of each kind late. The laws of design §3 hold in every state, and every migration ends once people keep quiet.
import { expect, test } from 'vitest';
import { livenessOf } from './explore/liveness.ts';
import { smallScopes } from './explore/scopes.ts';
import { explore, unbounded } from './explore/search.ts';

test.each(smallScopes)('no law can be broken, and every run ends: $name', (scope) => {
  const { violation, stoppedBy, graph, brain, states, transitions, depth } = explore(scope, unbounded);
  expect(violation).toBeUndefined();
  expect(stoppedBy).toBe('end');
  const { ends, stuck } = livenessOf(graph, scope, brain);
  expect(stuck.map(({ reason, state }) => ({ reason, path: graph.pathTo(state) }))).toEqual([]);
  // What is explored is not a corner of the world: machines are moved in it.
  expect([...ends.keys()].join()).toMatch(/done by (Live|Offline)/);
  console.info(`${scope.name}: ${states} states, ${transitions} transitions, depth ${depth}`);
});
