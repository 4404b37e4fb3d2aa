// What people meet first: help, version, and being told what is wrong with how they started it.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { environmentName, options } from '../../src/configOptions.ts';
import { afterwards, folder, freePort, kubeConfigFor, transship } from './process.ts';

/** Runs to the end. */
const outcome = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const process = transship(args, env);
  const code = await process.ended;
  return { code, out: process.stdout(), err: process.stderr() };
};

describe('the command line', () => {
  test('--help tells every option with its default and its variable, and ends well', async () => {
    const { code, out, err } = await outcome(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const option of Object.values(options)) {
      expect(out).toContain(`  --${option.flag}=<`);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(`Environment: ${environmentName(option.flag)}`);
      expect(out.replaceAll(/\s+/g, ' ')).toContain(option.help);
    }
    expect(out).toContain('--version');
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  });

  test('--version is the version of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(await outcome(['--version'])).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' });
  });

  test('every mistake is told at once, in a line of its own, with exit code 2', async () => {
    const { code, out, err } = await outcome(['--setle=1s', '--retry=soon', '--log-level', 'loud', 'start'], {
      TRANSSHIP_PAGE_SIZE: '0',
    });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    const told = err.trimEnd().split('\n');
    expect(told).toHaveLength(5);
    for (const line of told) expect(line).toMatch(/^transship: /);
    for (const part of ['--setle', 'did you mean --settle', '--retry', '--log-level', '"start"']) {
      expect(err).toContain(part);
    }
    expect(err).toContain('TRANSSHIP_PAGE_SIZE');
  });

  test('an address that is in use is told with exit code 2, not with a stack', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    afterwards(() => server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const kubeconfig = kubeConfigFor(`http://127.0.0.1:${await freePort()}`);
    const { code, out, err } = await outcome([`--kubeconfig=${kubeconfig}`, `--http-address=127.0.0.1:${port}`]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      `transship: cannot listen on 127.0.0.1:${port} for metrics and probes: the port is in use; stop the process that has it or choose another port\n`,
    );
  });
});

describe('a kubeconfig that cannot be used ends with exit code 2 and a sentence', () => {
  const written = (content: string): string => {
    const path = join(folder(), 'config');
    writeFileSync(path, content);
    return path;
  };
  const cases: readonly (readonly [string, () => string, readonly string[]])[] = [
    ['that does not exist', () => join(folder(), 'nowhere'), ['does not exist', 'name another with --kubeconfig']],
    ['that is not YAML', () => written('clusters: ['), ['cannot be read', 'mend it']],
    ['that names no context', () => written('clusters: []'), ['no current-context', 'kubectl config use-context']],
  ];
  test.each(cases)('%s', async (_name, make, parts) => {
    const path = make();
    const { code, out, err } = await outcome([`--kubeconfig=${path}`]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^transship: [^\n]+\n$/);
    for (const part of [path, ...parts]) expect(err).toContain(part);
  });

  test('without the context that was asked for', async () => {
    const path = kubeConfigFor('http://127.0.0.1:1');
    const { code, err } = await outcome([`--kubeconfig=${path}`, '--context=another']);
    expect(code).toBe(2);
    expect(err).toBe(`transship: The kubeconfig ${path} has no context "another" (contexts: test).\n`);
  });

  test('that $KUBECONFIG names', async () => {
    const path = join(folder(), 'nowhere');
    const { code, err } = await outcome([], { KUBECONFIG: path });
    expect(code).toBe(2);
    expect(err).toContain(path);
  });
});
