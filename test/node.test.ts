// The tests run .ts files and rely on what newer Nodes do: one that is too old, picked up silently from the machine
// instead of the one that the project installs, has to show.
import { expect, test } from 'vitest';

/** Whether a version such as `24.11.0` is `minimum` or newer; compares numbers, not text. */
const isAtLeast = (version: string, minimum: readonly [major: number, minor: number]): boolean => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > minimum[0] || (major === minimum[0] && minor >= minimum[1]);
};

test('versions are compared as numbers', () => {
  expect(isAtLeast('22.19.0', [22, 19])).toBe(true);
  expect(isAtLeast('24.0.0', [22, 19])).toBe(true);
  expect(isAtLeast('22.9.0', [22, 19])).toBe(false);
  expect(isAtLeast('20.20.1', [22, 19])).toBe(false);
  expect(isAtLeast('9.30.0', [22, 19])).toBe(false);
});

test('this Node is 22.19 or newer', () => {
  expect(isAtLeast(process.versions.node, [22, 19]), `running on ${process.version} at ${process.execPath}`).toBe(true);
});
