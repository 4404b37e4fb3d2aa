// `npm run explore`: explores scopes to a larger bound than the tests do, and tells what was found.
import { parseArgs } from 'node:util';
import { livenessOf } from './liveness.ts';
import { largeScopes, smallScopes } from './scopes.ts';
import { explore } from './search.ts';

const { values } = parseArgs({
  options: {
    scope: { type: 'string' },
    seconds: { type: 'string', default: '300' },
    depth: { type: 'string', default: '1000' },
  },
});
for (const scope of [...smallScopes, ...largeScopes]) {
  if (values.scope !== undefined && values.scope !== scope.name) continue;
  const began = performance.now();
  const found = explore(scope, { seconds: Number(values.seconds), depth: Number(values.depth), states: 20_000_000 });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${scope.name}: ${found.states} states, ${found.transitions} transitions, depth ${found.depth}, ` +
      `${found.complete ? 'complete' : 'bounded'}, ${seconds} s, ${found.brain.sights()} sights`,
  );
  for (const [name, { count, path }] of found.windows) {
    console.log(`  kubevirt's own, ${count} times: ${name}\n    ${path.join('\n    ')}`);
  }
  const { ends, stuck } = livenessOf(found.graph, scope, found.brain);
  console.log(`  ends: ${[...ends].map(([name, count]) => `${name} ${count}`).join(', ')}`);
  const reasons = new Set<string>();
  for (const { reason, state, size } of stuck) {
    if (reasons.has(reason)) continue;
    reasons.add(reason);
    process.exitCode = 1;
    console.log(`  STUCK (${size} states): ${reason}`);
    for (const [index, step] of found.graph.pathTo(state).entries()) console.log(`    ${index + 1}. ${step}`);
  }
  if (found.violation !== undefined) {
    console.log(`  VIOLATION after ${found.violation.depth} steps: ${found.violation.law}`);
    for (const [index, step] of found.violation.path.entries()) console.log(`    ${index + 1}. ${step}`);
    process.exitCode = 1;
  }
}
