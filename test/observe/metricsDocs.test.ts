// docs/metrics.md and the alerts say what the registry says.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type MetricFamily, metricFamilies } from '../../src/observe/metricFamilies.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const families: readonly MetricFamily[] = Object.values(metricFamilies);

const row = ({ name, type, labels, help }: MetricFamily) =>
  `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`;

/** What a query uses: metric names (with the suffixes of a histogram taken off) and the labels asked for. */
function usesOf(text: string) {
  return [...text.matchAll(/\b(transship_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, name = '', selector = '']) => ({
    family: families.find((family) =>
      family.type === 'histogram'
        ? [`${family.name}_bucket`, `${family.name}_sum`, `${family.name}_count`].includes(name)
        : family.name === name,
    ),
    name,
    labels: [...selector.matchAll(/([a-z_]+)\s*(?:=|!=|=~|!~)/g)].map((match) => match[1] ?? ''),
  }));
}

describe('docs/metrics.md', () => {
  test('has one row for each metric, in the order of the sources, with its labels and meaning', () => {
    const rows = read('docs/metrics.md')
      .split('\n')
      .filter((line) => line.startsWith('| `transship_'));
    expect(rows).toEqual(families.map(row));
  });
});

describe.each([
  ['docs/metrics.md', 4],
  ['deploy/examples/monitoring.yaml', 4],
])('the queries in %s', (path, least) => {
  const queries = read(path)
    .split('\n')
    .filter((line) => !line.startsWith('|') && !line.startsWith('#') && !line.includes('`'))
    .join('\n');

  test('use metrics and labels that exist', () => {
    const uses = usesOf(queries);
    expect(uses.length).toBeGreaterThanOrEqual(least);
    for (const { name, family, labels } of uses) {
      expect(family, name).toBeDefined();
      for (const label of labels) {
        expect(family?.labels, `${name}{${label}}`).toContain(label);
      }
    }
  });
});
