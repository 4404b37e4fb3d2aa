// `npm run explore`: explores scopes to a larger bound than the tests do, and tells what was found: how much of each scope
// was seen, how its runs end, what KubeVirt does in them by itself, and the shortest way to whatever is wrong.
import { parseArgs } from 'node:util';
import { livenessOf } from './liveness.ts';
import { largeScopes, type Scope, smallScopes } from './scopes.ts';
import { type Bounds, type Exploration, explore } from './search.ts';

const { values } = parseArgs({
  options: {
    /** Names of scopes; all without it. */
    scope: { type: 'string', multiple: true },
    /** Bounds for each scope. */
    seconds: { type: 'string', default: '300' },
    states: { type: 'string', default: '8000000' },
    depth: { type: 'string', default: '1000' },
    /** Tells the shortest way to what KubeVirt does by itself, too. */
    windows: { type: 'boolean', default: false },
  },
});
const bounds: Bounds = {
  seconds: Number(values.seconds),
  states: Number(values.states),
  depth: Number(values.depth),
};

const printPath = (path: readonly string[]): void => {
  for (const [index, step] of path.entries()) console.log(`    ${index + 1}. ${step}`);
};

const extentOf = ({ stoppedBy }: Exploration): string => {
  if (stoppedBy === 'end') return 'to the end';
  return stoppedBy === 'violation' ? 'to the first violation' : `to the bound of ${bounds[stoppedBy]} ${stoppedBy}`;
};

/** Explores a scope and prints what was found; returns whether all is well. */
const tellOf = (scope: Scope): boolean => {
  const began = performance.now();
  const found = explore(scope, bounds);
  const { ends, stuck } = livenessOf(found.graph, scope, found.brain);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${scope.name}: ${found.states} states, ${found.transitions} transitions, depth ${found.depth}, ${seconds} s, ${extentOf(found)}`,
  );
  console.log(`  ends: ${[...ends].map(([name, count]) => `${name} (${count})`).join('; ')}`);
  for (const [name, { count, path }] of found.windows) {
    console.log(`  KubeVirt's own: ${name} (${count} times, first after ${path.length} steps)`);
    if (values.windows) printPath(path);
  }
  const firstStuck = new Map(stuck.toReversed().map((each) => [each.reason, each]));
  for (const { reason, state, size } of firstStuck.values()) {
    const path = found.graph.pathTo(state);
    console.log(`  STUCK after ${path.length} steps, in ${size} states: ${reason}`);
    printPath(path);
  }
  if (found.violation !== undefined) {
    console.log(`  VIOLATION after ${found.violation.depth} steps: ${found.violation.law}`);
    printPath(found.violation.path);
  }
  return stuck.length === 0 && found.violation === undefined;
};

const wanted = [...smallScopes, ...largeScopes].filter(({ name }) => values.scope?.includes(name) ?? true);
if (wanted.length === 0) throw new Error(`no scope is called ${values.scope?.join(' or ')}`);
const isWell = wanted.map(tellOf).every(Boolean);
process.exitCode = isWell ? 0 : 1;
