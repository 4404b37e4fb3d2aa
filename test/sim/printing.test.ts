// What tables are made of: paths of printer columns, and ages.
import { describe, expect, test } from 'vitest';
import { humanDuration } from '../../src/sim/http/humanDuration.ts';
import { jsonPath } from '../../src/sim/http/jsonPath.ts';
import { protobufObject } from '../../src/sim/http/protobufObject.ts';

const object = {
  spec: { size: 3, list: ['a', 'b'], 'dotted.name/x': 'y' },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Failed', status: 'False' },
    ],
  },
};

describe('a printer column finds', () => {
  test.each<readonly [string, readonly unknown[]]>([
    ['.spec.size', [3]],
    ['.spec.missing.deeper', []],
    ['.spec.list[1]', ['b']],
    ['.spec.list[-1]', ['b']],
    ['.spec.list[*]', ['a', 'b']],
    ['.status.conditions[?(@.type=="Failed")].status', ['False']],
    [".status.conditions[?(@.type=='Ready')].status", ['True']],
    ['.status.conditions[?(@.type=="Other")].status', []],
    ['.status.conditions[*].type', ['Ready', 'Failed']],
    ["['spec']['dotted.name/x']", ['y']],
    ['.spec.dotted\\.name/x', ['y']],
  ])('%s', (path, found) => {
    expect(jsonPath(path)(object)).toEqual(found);
  });

  test('nothing with a path that cannot be read, and says where it goes wrong', () => {
    expect(() => jsonPath('.spec[?(')).toThrow('it goes wrong after .spec');
  });
});

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test.each([
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [9 * minute + 5 * second, '9m5s'],
  [10 * minute + 5 * second, '10m'],
  [3 * hour, '3h'],
  [7 * hour + 30 * minute, '7h30m'],
  [47 * hour, '47h'],
  [2 * day + 3 * hour, '2d3h'],
  [8 * day, '8d'],
  [800 * day, '2y70d'],
  [3000 * day, '8y'],
  [-500, '0s'],
  [-5 * second, '<invalid>'],
])('an age of %d ms is shown as %s', (ms, shown) => {
  expect(humanDuration(ms)).toBe(shown);
});

describe('an object in protobuf', () => {
  const field = (number: number, content: Buffer | string): Buffer => {
    const bytes = Buffer.from(content);
    return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
  };
  const envelope = (kind: string, raw: Buffer): Buffer =>
    Buffer.concat([Buffer.from('k8s\0'), field(1, Buffer.concat([field(1, 'v1'), field(2, kind)])), field(2, raw)]);
  const labels = field(11, Buffer.concat([field(1, 'app'), field(2, 'web')]));
  const metadata = field(1, Buffer.concat([field(1, 'shop'), labels]));

  test('is read when it is a namespace', () => {
    expect(protobufObject(envelope('Namespace', metadata))).toEqual({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels: { app: 'web' } },
    });
  });

  test('is read when it is a secret, whose values stay coded', () => {
    const data = field(2, Buffer.concat([field(1, 'key'), field(2, 'hidden')]));
    expect(protobufObject(envelope('Secret', Buffer.concat([metadata, data])))).toMatchObject({
      data: { key: Buffer.from('hidden').toString('base64') },
    });
  });

  test('is not read when it is anything else', () => {
    expect(protobufObject(envelope('Pod', metadata))).toBeUndefined();
    expect(protobufObject(Buffer.from('{}'))).toBeUndefined();
  });

  test('is refused when it is cut off', () => {
    const whole = envelope('Namespace', metadata);
    expect(() => protobufObject(whole.subarray(0, whole.length - 3))).toThrow('cut off');
  });
});
