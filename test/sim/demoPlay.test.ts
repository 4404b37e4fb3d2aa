// The demo on its stage: a row that does not go as expected is shown as such, and the stage leaves nothing behind.
import { existsSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { withoutColour } from '../../src/sim/demo/paint.ts';
import { playRows } from '../../src/sim/demo/playRows.ts';
import { screenOn } from '../../src/sim/demo/screen.ts';
import { openStage, type Stage } from '../../src/sim/demo/stage.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';

vi.setConfig({ testTimeout: 120_000 });

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const open = async (keepFiles: boolean): Promise<Stage> => {
  const stage = await openStage({ speed: 20, logFile: undefined, keepFiles });
  cleanUp.push(stage.close);
  return stage;
};

test('a row in which something forbidden happens has failed, and is told so', async () => {
  const [first] = rows;
  const impossible = { ...(first as Row), never: ['server created'] };
  const written: string[] = [];
  const screen = screenOn({ write: (text) => written.push(text) });
  const results = await playRows(await open(false), [impossible], screen, withoutColour);
  expect(results.map(({ faults }) => faults)).toEqual([expect.arrayContaining(['"server created" must not happen'])]);
  expect(written.join('')).toContain('✗ FAILED: "server created" must not happen');
  expect(written.join('').trimEnd().split('\n').at(-1)).toBe('0 passed, 1 failed');
});

test('files of a stage are there only if they are asked for, and until it is closed', async () => {
  const kept = await open(true);
  expect(existsSync(kept.kubeconfig)).toBe(true);
  await kept.close();
  expect(existsSync(kept.directory)).toBe(false);
  const bare = await open(false);
  expect(existsSync(bare.directory)).toBe(false);
});

test('nobody answers any more when a stage is closed', async () => {
  const stage = await open(false);
  expect((await fetch(`${stage.url}/healthz`)).status).toBe(200);
  await stage.close();
  await expect(fetch(`${stage.url}/healthz`)).rejects.toThrow();
});
