// The demo as people run it: the program itself, as a process of its own, into a pipe.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rows } from '../../src/sim/scenario/rows.ts';
import { processesFor, remainsOf } from './realCopyRemains.ts';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

// Processes start slowly on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** For what kubectl cannot wait for itself. */
const patience = { timeout: 60_000, interval: 200 };

const program = fileURLToPath(new URL('../../src/sim/demo/main.ts', import.meta.url));

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'transship-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Everything that the demo puts into the directory for temporary files lands in ours. */
const environment = () => ({ ...process.env, TMPDIR: directory, HOME: directory });

const run = (file: string, args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Run> =>
  new Promise((resolve, reject) => {
    execFile(file, args, { env: { ...environment(), ...more } }, (error, out, err) => {
      if (error?.code === 'ENOENT') reject(new Error(`${file} was not found`));
      else resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, out, err });
    });
  });

const demo = (...args: readonly string[]): Promise<Run> => run(process.execPath, [program, ...args]);

describe('npm run demo', () => {
  test('plays a row, shows it plainly in a pipe, ends 0, and leaves nothing but the log that was asked for', async () => {
    const log = join(directory, 'demo.log');
    const { code, out, err } = await demo('--row', '4', '--log', log);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const lines = out.trimEnd().split('\n');
    expect(lines.at(-1)).toBe('1 passed, 0 failed');
    expect(out).not.toContain('\u001b');
    for (const label of ['VM a  ', 'VM b  ', '  virt-launcher 2', '  copy client', 'copy server']) {
      expect(lines.filter((line) => line.startsWith(label)).length, label).toBeGreaterThan(0);
    }
    expect(lines.find((line) => line.startsWith('VM a'))).toMatch(/off A.*▲.*on A.*on B/);
    expect(lines.find((line) => line.startsWith('VM b'))).toMatch(/off A.*off B/);
    expect(await readdir(directory)).toEqual(['demo.log']);
    const logged = (await readFile(log, 'utf8')).trimEnd().split('\n');
    expect(logged.map((line): unknown => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ machine: 'row-4/move/a', from: 'hold', to: 'live' }),
    );
  });

  test('lists the rows', async () => {
    const { code, out } = await demo('--list');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual(rows.map(({ number, title }) => `${number}  ${title}`));
  });

  test('ends 2 and says why when it is started wrongly', async () => {
    expect(await demo('--rwo', '4')).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining('--rwo is not an option: did you mean --row?'),
    });
    expect(await demo('--row', '1', '--log', join(directory, 'none', 'demo.log'))).toEqual({
      code: 2,
      out: '',
      err: expect.stringContaining('no such file or directory'),
    });
    expect(await readdir(directory)).toEqual([]);
  });

  test('--real-copies ends 2 and says what is missing where it is', async () => {
    const { code, err } = await run(process.execPath, [program, '--real-copies'], { PATH: directory });
    expect(code).toBe(2);
    expect(err).toContain('needs rsync and stunnel (Debian: apt-get install rsync stunnel4)');
  });

  test('--real-copies leaves no process, device or file behind when it is interrupted in the middle of a copy', async () => {
    const child = spawn(process.execPath, [program, '--real-copies', '--row', '6', '--log', join(directory, 'log')], {
      env: environment(),
      stdio: 'ignore',
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      const { pid = 0 } = child;
      await vi.waitFor(() => expect(processesFor(pid).some(({ name }) => name === 'rsync')).toBe(true), patience);
      child.kill('SIGINT');
      expect(await ended).toBe(130);
      await vi.waitFor(() => expect(remainsOf(pid)).toEqual([]), patience);
      expect(await readdir(directory)).toEqual(['log']);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });

  test('--serve answers kubectl, moves a machine that is started by hand, and ends on SIGTERM with nothing left', async () => {
    const child = spawn(process.execPath, [program, '--serve'], {
      env: environment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    try {
      const guide = await new Promise<string>((resolve, reject) => {
        let text = '';
        child.stdout.on('data', (chunk) => {
          text += chunk;
          if (text.includes('Ctrl-C')) resolve(text);
        });
        void ended.then((code) => reject(new Error(`ended with ${code} after: ${text}`)));
      });
      const kubeconfig = /KUBECONFIG=(\S+)/.exec(guide)?.[1] ?? '';
      const manifest = /kubectl apply -f (\S+)/.exec(guide)?.[1] ?? '';
      const kubectl = async (...args: readonly string[]): Promise<string> => {
        const { code, out, err } = await run('kubectl', args, { KUBECONFIG: kubeconfig });
        expect({ code, err }, `kubectl ${args.join(' ')}`).toMatchObject({ code: 0 });
        return out;
      };
      const waitFor = (what: string, path: string, value: string): Promise<string> =>
        kubectl('wait', what, `--for=jsonpath={${path}}=${value}`, '--timeout=60s');

      await waitFor('vm/web-1', '.status.printableStatus', 'Running');
      await waitFor('vm/db-1', '.status.printableStatus', 'Stopped');
      expect(await kubectl('apply', '-f', manifest)).toContain('created');
      const modeOf = (name: string): string => `.status.virtualMachines[?(@.name=="${name}")].mode`;
      await waitFor('smig/empty-old-array', modeOf('web-1'), 'Live');
      await waitFor('smig/empty-old-array', modeOf('db-1'), 'Offline');
      const clients = ['get', 'pods', '-l', 'transship.dev/role=copy-client', '-o', 'name'];
      await vi.waitFor(async () => expect(await kubectl(...clients)).toContain('copy-client-db-1'), patience);
      // The very commands that are printed, without the quotes that a shell takes off.
      const patch = /kubectl (patch vm db-1 .*)/.exec(guide)?.[1]?.replaceAll("'", '').split(' ') ?? [];
      expect(await kubectl(...patch)).toContain('db-1 patched');
      await waitFor('smig/empty-old-array', modeOf('db-1'), 'Live');
      const describe = ['describe', 'smig', 'empty-old-array'];
      await vi.waitFor(async () => expect(await kubectl(...describe)).toContain('OfflineCopyCancelled'), patience);
      expect(await kubectl(...clients)).not.toContain('copy-client-db-1');

      child.kill('SIGTERM');
      expect(await ended).toBe(0);
      expect(existsSync(kubeconfig)).toBe(false);
      // kubectl has a cache below its home.
      expect((await readdir(directory)).filter((name) => name !== '.kube')).toEqual([]);
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  });
});
