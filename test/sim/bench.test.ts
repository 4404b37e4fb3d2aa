// The benchmark, run small as people run it: that what it measures is also right. Never how fast anything was.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../src/sim/bench/main.ts', import.meta.url));

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const bench = (...args: readonly string[]): Promise<Run> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
    );
  });

test('every disturbed machine is answered by the right write and counted, and nobody else is touched', async () => {
  const { code, stdout, stderr } = await bench(
    ...['--machines', '50', '--migrating', '10', '--runs', '1', '--idle', '0', '--json'],
  );
  expect(code, stderr).toBe(0);
  const results = JSON.parse(stdout);
  expect(results.faults).toEqual([]);
  // Ten VMIs have a second virt-launcher, a migration and a StorageMigration of their own beside the KubeVirt.
  expect(results.objects).toBe(50 * 5 + 10 * 2 + 2);
  expect(results.sync).toHaveLength(1);
  const { sync, reactionMs, requests } = results;
  for (const measured of [sync[0].startToReadyMs, sync[0].firstRequestToReadyMs, sync[0].residentMiB]) {
    expect(measured).toBeGreaterThan(0);
  }
  const samples = Object.values<{ samples: number }>(reactionMs).map((each) => each.samples);
  expect(samples).toEqual([3, 3, 3]);
  for (const counted of requests) {
    expect(counted).toMatchObject({ moved: true, idleRequests: {} });
    // Less than this cannot be: each VM is read or patched for itself.
    expect(counted.requests['patch virtualmachines']).toBe(counted.machines);
    expect(counted.total).toBeGreaterThan(counted.machines);
    // One server for all of them, and keys for it once.
    expect(counted.requests['create secrets'] ?? 0).toBe(counted.way === 'offline' ? 1 : 0);
  }
  expect(requests.map(({ way, machines }: { way: string; machines: number }) => `${way} ${machines}`)).toEqual([
    ...['live 1', 'live 10', 'offline 1', 'offline 10'],
  ]);
});

test.each([
  [['--machines', 'many'], '--machines: "many" is not a number from 1'],
  [['--machines', '5', '--migrating', '6'], '--migrating: more than there are --machines'],
  [['--fast'], "Unknown option '--fast'"],
])('%s is refused with what is wrong with it', async (args, message) => {
  const { code, stderr } = await bench(...args);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
