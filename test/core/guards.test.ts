// The exploration can fail: each guard of the core, taken out, is missed by a law within a bound. What is missed, and
// how many steps away, is told.
import { expect, test } from 'vitest';
import { livenessOf } from './explore/liveness.ts';
import { explore } from './explore/search.ts';
import { variants } from './explore/variants.ts';

const bounds = { depth: 60, states: 60_000, seconds: Number.POSITIVE_INFINITY };

// Names in full: `test.each` would cut them short.
for (const { without, scope, breaks, core } of variants) {
  test(`is noticed: a core without ${without}`, () => {
    const { violation, graph, brain } = explore(scope, bounds, core);
    const [stuck] = violation === undefined ? livenessOf(graph, scope, brain).stuck : [];
    const found = violation?.law ?? (stuck === undefined ? 'nothing' : `stuck: ${stuck.reason}`);
    const depth = violation?.depth ?? (stuck === undefined ? 0 : graph.pathTo(stuck.state).length);
    console.info(`without ${without}: ${found}, ${depth} steps away`);
    expect(found.startsWith(breaks), found).toBe(true);
  });
}
