// The simulated KubeVirt does what the recorded real one did. The recordings lie beside the repository, or where
// TRANSSHIP_TRACES says; without them nothing would be proved, so their absence is a failure.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { conform } from '../../src/sim/conform/conform.ts';

const folder = resolve(process.env['TRANSSHIP_TRACES'] ?? join(import.meta.dirname, '../../../shared/kubevirt-traces'));
const recordings = ['1', '2'].flatMap((part) =>
  existsSync(join(folder, part))
    ? readdirSync(join(folder, part))
        .filter((name) => name.endsWith('.jsonl'))
        .map((name) => ({ part, name }))
    : [],
);
const read = (part: string, name: string): string => readFileSync(join(folder, part, name), 'utf8');
const shown = (text: string, siblings: readonly string[]): readonly string[] =>
  conform(text, siblings).map(
    ({ object, field, expected, got }) =>
      `${object}, ${field}: ${expected.map((values) => values.join(' -> ')).join(' or ')}, got ${got.join(' -> ')}`,
  );

test('recordings of the real KubeVirt are there', () => {
  expect(recordings.length, `no recordings in ${folder}; set TRANSSHIP_TRACES to their folder`).toBeGreaterThan(0);
});

describe.for(recordings)('recording $part of $name', ({ part, name }) => {
  test('is what the simulation does', () => {
    expect(shown(read(part, name), [])).toEqual([]);
  });
});

describe('a recording that differs', () => {
  const example = recordings.find(({ name }) => name === 'live-success.jsonl');
  const text = (): string => (example === undefined ? '' : read(example.part, example.name));

  test.for([
    ['another phase of the VMI', '"phase":"Scheduled"', '"phase":"WaitingForSync"'],
    ['another claim in the VMI', '"VirtualMachineInstance","metadata"', '"VirtualMachineInstance","metadata"'],
    ['a copy that failed', '"completed":true', '"completed":true,"failed":true'],
    ['a VM that never says Migrating', '"printableStatus":"Migrating"', '"printableStatus":"Running"'],
    ['a refused patch', '"answer":"accepted"', '"answer":"422 the server rejected our request"'],
  ] as const)('is told by %s', ([what, from, to]) => {
    const lines = text().split('\n');
    const changed =
      what === 'another claim in the VMI'
        ? lines.map((line) =>
            line.includes('"watch":"virtualmachineinstances"') || line.includes('"watch": "virtualmachineinstances"')
              ? line.replaceAll('vm-a-dst', 'vm-a-src')
              : line,
          )
        : lines.map((line) => line.replaceAll(from, to));
    expect(changed.join('\n'), 'the recording was changed').not.toBe(text());
    expect(shown(changed.join('\n'), []).length).toBeGreaterThan(0);
  });

  test('is told by an object that is not there', () => {
    const changed = text()
      .split('\n')
      .filter((line) => !line.includes('kubevirt-workload-update-'))
      .join('\n');
    expect(shown(changed, []).some((line) => line.includes('VMIM 1'))).toBe(true);
  });
});
