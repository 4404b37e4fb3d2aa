// Which claims a VM names: of each kind of volume entry, and of all disks of a machine together.
import { describe, expect, test } from 'vitest';
import { claimOf, describeDisks, isHotplugged, specSideOf, templateName, volumeName } from '../../src/core/volumes.ts';
import { entry, record, vm } from './builders.ts';

describe('volume entries', () => {
  test('a claim is named directly or by its DataVolume', () => {
    expect(claimOf(entry('root', 'a'))).toBe('a');
    expect(claimOf({ name: 'root', dataVolume: { name: 'a' } })).toBe('a');
  });

  test.each([
    [{}],
    [{ name: 'x', containerDisk: { image: 'i' } }],
    [{ name: 'x', persistentVolumeClaim: null }],
    [{ name: 'x', persistentVolumeClaim: 'a' }],
    [{ name: 'x', dataVolume: { name: 7 } }],
  ])('%j is not a claim', (volume) => {
    expect(claimOf(volume)).toBe('');
  });

  test('names that are missing or of another type read as empty', () => {
    expect([
      volumeName({}),
      volumeName({ name: 1 }),
      templateName({}),
      templateName({ metadata: { name: 'a' } }),
    ]).toStrictEqual(['', '', '', 'a']);
  });

  test('a hotplugged disk says so in either form', () => {
    expect(isHotplugged(entry('data', 'a', { hotpluggable: true }))).toBe(true);
    expect(isHotplugged({ name: 'data', dataVolume: { name: 'a', hotpluggable: true } })).toBe(true);
    expect(isHotplugged(entry('data', 'a', { hotpluggable: 'yes' }))).toBe(false);
    expect(isHotplugged(entry('data', 'a'))).toBe(false);
  });
});

describe('specSideOf', () => {
  const two = record({ diskNames: ['root', 'data'] });
  const machine = (root: string, data: string) => vm({ volumes: [entry('data', data), entry('root', root)] });

  test.each([
    ['source', 'web-1-root', 'web-1-data'],
    ['target', 'web-1-root-fast', 'web-1-data-fast'],
    ['mixed', 'web-1-root-fast', 'web-1-data'],
    ['mixed', 'web-1-root', 'web-1-data-fast'],
    ['foreign', 'web-1-root', 'other'],
    ['foreign', 'web-1-data', 'web-1-root'],
    ['foreign', 'web-1-root-fast', ''],
  ])('%s: root on %s, data on %s', (side, root, data) => {
    expect(specSideOf(machine(root, data), two)).toBe(side);
  });

  test('a disk that is gone from the spec makes it foreign, one more does not', () => {
    expect(specSideOf(vm({ volumes: [entry('root', 'web-1-root')] }), two)).toBe('foreign');
    expect(specSideOf(vm({ disks: ['root', 'data', 'more'] }), two)).toBe('source');
  });

  test('a DataVolume entry stands where its claim stands', () => {
    expect(specSideOf(vm({ volumes: [{ name: 'root', dataVolume: { name: 'web-1-root' } }] }), record())).toBe(
      'source',
    );
  });
});

test('disks are described by name, source and target', () => {
  expect(describeDisks(record({ diskNames: ['root', 'data'] }))).toBe(
    'root: web-1-root to web-1-root-fast, data: web-1-data to web-1-data-fast',
  );
});
