// The wire of the control conversation with an end that does not keep to it: nothing that comes takes more than a little
// memory, and only what is no conversation ends it.
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { wire } from '../../src/copy/controlWire.ts';
import { afterwards } from '../main/process.ts';

const wired = () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const line = wire(input, output, 60_000);
  afterwards(() => line.close());
  return { input, line };
};

const sign = '{"t":"alive"}\n';

describe('the wire', () => {
  test('stays when the signs of many minutes come at once, as after this end was frozen', async () => {
    const { input, line } = wired();
    input.write(`${sign.repeat(300)}{"t":"proved"}\n`);
    expect(await line.next()).toEqual({ t: 'proved' });
  });

  test.each([
    ['a line without an end', 'x'.repeat(5000)],
    ['a line that is too long', `{"t":"${'x'.repeat(5000)}"}\n`],
    ['a line that is no message', 'hello\n'],
    ['more messages than anybody waits for', '{"t":"welcome"}\n'.repeat(1000)],
  ])('is ended by %s', async (_, said) => {
    const { input, line } = wired();
    input.write(said);
    expect(await line.closed).toBe('ended');
  });
});
