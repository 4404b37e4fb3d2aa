// The log as a collector reads it.
import { describe, expect, test } from 'vitest';
import { KubeFailure } from '../../src/kube/api.ts';
import { createLog, type LogFields, type LogLevel } from '../../src/observe/log.ts';

function recorded(level: LogLevel = 'debug', fields?: LogFields) {
  const lines: string[] = [];
  const log = createLog({
    level,
    destination: { write: (line) => lines.push(line) },
    ...(fields === undefined ? {} : { fields }),
  });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? 'null') };
}

describe('a line', () => {
  test('is one JSON object with level, ISO time, message and the fields', () => {
    const { log, lines, last } = recorded();
    log.info('mode changed', { vm: 'shop/web-1', from: 'live', to: 'hold' });
    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
    expect(last()).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: 'mode changed',
      vm: 'shop/web-1',
      from: 'live',
      to: 'hold',
    });
  });

  test('names neither process id nor host name', () => {
    const { log, last } = recorded();
    log.info('started');
    expect(Object.keys(last()).sort()).toEqual(['level', 'msg', 'time']);
  });

  test('stays one line when a field holds line breaks', () => {
    const { log, lines, last } = recorded();
    log.warn('request refused', { answer: 'first\nsecond' });
    expect(lines.join('').trimEnd().split('\n')).toHaveLength(1);
    expect(last()['answer']).toBe('first\nsecond');
  });
});

describe('levels', () => {
  test('those below the chosen one are not written', () => {
    const { log, lines } = recorded('warn');
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    log.fatal('e');
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error', 'fatal']);
  });

  test('silent writes nothing, not even fatal', () => {
    const { log, lines } = recorded('silent');
    log.fatal('the end');
    expect(lines).toEqual([]);
  });
});

describe('children', () => {
  test('carry the fields of the root and their own', () => {
    const { log, last } = recorded('debug', { version: '1.2.3' });
    log.child({ vm: 'shop/web-1' }).child({ command: 'revert' }).info('sent');
    expect(last()).toMatchObject({ version: '1.2.3', vm: 'shop/web-1', command: 'revert', msg: 'sent' });
  });
});

describe('errors', () => {
  test('stand under err with type, message, stack, cause and what the server said', () => {
    const { log, last } = recorded();
    const failure = new KubeFailure('status', 'pods "x" is forbidden', { code: 403, reason: 'Forbidden' });
    log.error('request failed', { err: new Error('outer', { cause: failure }) });
    expect(last()['err']).toMatchObject({
      type: 'Error',
      message: 'outer',
      stack: expect.stringContaining('log.test.ts'),
      cause: { type: 'KubeFailure', message: 'pods "x" is forbidden', kind: 'status', code: 403, reason: 'Forbidden' },
    });
  });

  test('do not make logging fail when they refer to themselves', () => {
    const { log, lines } = recorded();
    const loop: Error & { self?: unknown } = new Error('loop');
    loop.self = loop;
    log.error('request failed', { err: loop });
    expect(lines).toHaveLength(1);
  });
});

describe('secrets', () => {
  const secret = 's3cr3t-value-0123456789';

  test.each([
    ['authorization', { headers: { Authorization: `Bearer ${secret}` } }],
    ['token', { token: secret }],
    ['a name that ends in token', { bearerToken: secret, 'id-token': secret }],
    ['password', { connection: { options: { password: secret } } }],
    ['key data of a kubeconfig', { user: { 'client-key-data': secret } }],
    ['a list of such objects', { users: [{ token: secret }] }],
    ['a bearer token inside a text', { answer: `sent Authorization: Bearer ${secret} to it` }],
    ['a bearer token in the message of an error', { err: new Error(`refused: bearer ${secret}`) }],
    ['a field of an error', { err: Object.assign(new Error('refused'), { request: { authorization: secret } }) }],
    ['a map', { headers: new Map([['authorization', secret]]) }],
  ])('are not printed: %s', (_, fields) => {
    const { log, lines } = recorded();
    log.error('request failed', fields);
    log.child(fields).error('request failed');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).not.toContain(secret);
      expect(line).toContain('[redacted]');
    }
  });

  test('words that only resemble secret names stay readable', () => {
    const { log, last } = recorded();
    log.info('listed', { tokens: 3, key: 'shop/web-1', resourceVersion: '17', continue: 'next' });
    expect(last()).toMatchObject({ tokens: 3, key: 'shop/web-1', resourceVersion: '17', continue: 'next' });
  });
});

describe('whatever is logged', () => {
  test('a huge text is cut off', () => {
    const { log, lines } = recorded();
    log.info('body', { body: 'x'.repeat(100_000) });
    expect(lines[0]?.length).toBeLessThan(10_000);
    expect(lines[0]).toContain('(cut off)');
  });

  test('big integers, sets and undefined do not make it fail', () => {
    const { log, last } = recorded();
    log.info('odd', { big: 12345678901234567890n, set: new Set(['a']), nothing: undefined });
    expect(last()).toMatchObject({ big: '12345678901234567890', set: ['a'] });
  });

  test('a getter that throws becomes a note', () => {
    const { log, last } = recorded();
    log.info('odd', {
      get broken(): string {
        throw new Error('no');
      },
    });
    expect(last()).toMatchObject({ msg: 'odd', unprintable: 'Error: no' });
  });
});
