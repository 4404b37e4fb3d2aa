// Kubernetes quantities as bytes and back: what is no quantity is never taken for a size.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quantityBytes, quantityText } from '../../src/core/quantity.ts';

describe('quantityBytes', () => {
  test.each([
    ['0', 0],
    ['128974848', 128974848],
    ['10Gi', 10 * 1024 ** 3],
    ['1500M', 1_500_000_000],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1E', 10 ** 15 * 1000],
    ['12e-1', 2],
    ['0.5Gi', 512 * 1024 ** 2],
    ['1.1k', 1100],
    ['100m', 1],
    ['+2Ki', 2048],
    ['5.Ki', 5120],
    [7, 7],
  ])('reads %j as %d bytes', (quantity, bytes) => {
    if (bytes > Number.MAX_SAFE_INTEGER) expect(quantityBytes(quantity)).toBeUndefined();
    else expect(quantityBytes(quantity)).toBe(bytes);
  });

  test.each([
    [''],
    ['10 Gi'],
    ['Gi'],
    ['10gi'],
    ['-1'],
    ['1e99'],
    ['ten'],
    ['0x10'],
    [null],
    [undefined],
    [{}],
    [Number.NaN],
    [-1],
  ])('refuses %j', (quantity) => {
    expect(quantityBytes(quantity)).toBeUndefined();
  });

  test('rounds every fraction of a byte up', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 9 }), (thousandths) => {
        expect(quantityBytes(`${thousandths}m`)).toBe(Math.ceil(thousandths / 1000));
      }),
    );
  });
});

describe('quantityText', () => {
  test.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1Ki'],
    [10 * 1024 ** 3, '10Gi'],
    [1024 ** 3 + 1, '1073741825'],
    [1.5 * 1024 ** 4, '1536Gi'],
  ])('writes %d as %s', (bytes, text) => {
    expect(quantityText(bytes)).toBe(text);
  });

  test('loses nothing', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (bytes) => {
        expect(quantityBytes(quantityText(bytes))).toBe(bytes);
      }),
    );
  });
});
