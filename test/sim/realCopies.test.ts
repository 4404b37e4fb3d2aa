// The nine rows with nothing pretended about the offline copies: the programs of the copy pods run as they would in the
// image, with rsync in TLS between loopback addresses, onto images and loop devices, and at the end every disk is compared
// with what its guest wrote, byte for byte.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { delay, filter, ignoreElements, interval, lastValueFrom, merge, take, tap } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseCopyEndRecord } from '../../src/core/copyEndRecord.ts';
import type { KubeObject } from '../../src/kube/api.ts';
import { annotations, labels, roles } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import { openStage, type Stage } from '../../src/sim/demo/stage.ts';
import { model } from '../../src/sim/kubevirt/model.ts';
import type { Pod } from '../../src/sim/kubevirt/objects.ts';
import { isResult, playRow, type RowResult } from '../../src/sim/scenario/playRow.ts';
import { realVariation } from '../../src/sim/scenario/realVariation.ts';
import { realWorld } from '../../src/sim/scenario/realWorld.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import { usualVariation, type Variation } from '../../src/sim/scenario/variation.ts';
import type { World } from '../../src/sim/scenario/world.ts';
import { processesFor, remainsOf } from './realCopyRemains.ts';

// Copies take their time, and on a busy machine everything does.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 60_000 });

const speed = 6;
const diskBytes = 8 * 1024 * 1024;

interface ClientEnd {
  readonly machine: string;
  readonly record: ReturnType<typeof parseCopyEndRecord>;
}

let stage: Stage;
let ends: ClientEnd[] = [];

interface Terminated {
  readonly state?: { readonly terminated?: { readonly message?: string } };
}

/** How a client pod ended, in its own words; undefined for other pods and before its end. */
const endOf = (pod: Pod): ClientEnd | undefined => {
  if (pod.metadata.labels?.[labels.role] !== roles.client) return undefined;
  const [status] = (pod.status?.['containerStatuses'] ?? []) as readonly Terminated[];
  const terminated = status?.state?.terminated;
  if (terminated === undefined) return undefined;
  const machine = pod.metadata.annotations?.[annotations.virtualMachine] ?? '';
  return { machine, record: parseCopyEndRecord(terminated.message ?? '') };
};

beforeAll(async () => {
  stage = await openStage({
    speed,
    logFile: undefined,
    keepFiles: false,
    world: { ...realWorld(speed), disks: { writeMs: 1000 / speed } },
  });
  stage.world.server.changes$.subscribe(({ resource, type, object, previous }) => {
    if (resource.plural !== 'pods' || type !== 'modified' || previous === undefined) return;
    const end = endOf(model.as<Pod>(object));
    if (end !== undefined && endOf(model.as<Pod>(previous)) === undefined) ends.push(end);
  });
});
afterAll(() => stage.close());

const play = async (row: Row, more: Partial<Variation> = {}): Promise<RowResult> => {
  ends = [];
  const namespace = `row-${row.number}`;
  const variation = { ...usualVariation, namespace, ...realVariation(row, speed), ...more };
  const last = await lastValueFrom(playRow(stage.world, row, variation));
  if (!isResult(last)) throw new Error('the play ended without a result');
  return last;
};

const saysProgress = ({ server }: World, { metadata, ...pod }: KubeObject): boolean =>
  metadata.labels?.[labels.role] === roles.client &&
  (pod as Pod).status?.phase === 'Running' &&
  server.log(metadata).includes('"t":"progress"');

const offline = (row: Row, word: string): readonly string[] =>
  row.machines.flatMap(({ name }) =>
    row.chains.some((chain) => chain.includes(`${word.replace('*', name)}`)) ? [name] : [],
  );

/** A machine that is off and stays off; what happens to its copy pods is the test's. */
const undisturbed: Row = {
  number: 10,
  title: 'one VM off',
  expected: 'a is copied offline and cut over',
  machines: [{ name: 'a', on: false }],
  moment: 'copy pods exist',
  changed: [],
  chains: [['server created', 'copy of a complete', 'a cut over', 'a is done']],
  never: ['live migration of a begins'],
};

describe('with real copies', () => {
  test.each(rows)('row $number: $title', async (row) => {
    const { faults, verifiedDisks } = await play(row);
    expect(faults).toEqual([]);
    expect(verifiedDisks).toBe(row.machines.length);
    const { boots, clashes } = stage.world.disks;
    expect(boots.filter(({ lostBlocks }) => lostBlocks > 0)).toEqual([]);
    expect(clashes).toEqual([]);
    for (const machine of offline(row, 'client of * deleted')) {
      const [end] = ends.filter((each) => each.machine === machine);
      expect(end?.record, `${machine} is cancelled in the middle`).toMatchObject({
        stage: 'copy',
        problem: 'Cancelled',
        size: diskBytes,
      });
    }
    for (const machine of offline(row, 'copy of * complete')) {
      const end = ends.findLast((each) => each.machine === machine);
      expect(end?.record, `${machine} is copied whole`).toMatchObject({
        stage: 'done',
        problem: '',
        files: 1,
        size: diskBytes,
        flushed: true,
      });
      expect((end?.record?.literal ?? 0) + (end?.record?.matched ?? 0)).toBe(diskBytes);
    }
  });

  test('one server serves images and devices at once: row 7 with two disks each', async () => {
    const row = rows.find(({ number }) => number === 7) as Row;
    const { faults, verifiedDisks } = await play(row, { namespace: 'two-disks-each', disksEach: 2 });
    expect(faults).toEqual([]);
    expect(verifiedDisks).toBe(4);
    expect(ends.map(({ record }) => record?.stage)).toEqual(['done', 'done', 'done', 'done']);
  });

  const killing = (pattern: RegExp): void => {
    const found = processesFor(process.pid).find(({ command }) => pattern.test(command));
    if (found === undefined) throw new Error(`no process is ${pattern}`);
    process.kill(found.pid, 'SIGKILL');
  };

  const disasters: readonly (readonly [string, (world: World) => void])[] = [
    ['the client is killed', () => killing(/main\.ts client /)],
    ['the rsync of the client is killed', () => killing(/^rsync .*disk(\.img)? a-disk0-new@/)],
    ['the server is killed', () => killing(/main\.ts server /)],
    ['the tunnel of the server is killed', () => killing(/^stunnel .*server/)],
    [
      'somebody deletes the client',
      ({ server, people }) => {
        const client = server
          .all(resources.pods)
          .find(({ metadata }) => metadata.labels?.[labels.role] === roles.client);
        people.deletePod(client?.metadata ?? { name: '' });
      },
    ],
  ];

  test.each(disasters)('a copy in the middle of which %s is made again, and is whole', async (what, happens) => {
    const { world } = stage;
    const namespace = `disaster-${disasters.findIndex(([name]) => name === what)}`;
    const variation = { ...usualVariation, namespace, ...realVariation(undisturbed, speed) };
    ends = [];
    const played$ = playRow(world, undisturbed, variation);
    const copying$ = interval(50).pipe(
      filter(() => world.server.all(resources.pods, namespace).some((pod) => saysProgress(world, pod))),
      take(1),
      delay(500),
      tap(() => happens(world)),
      ignoreElements(),
    );
    const last = await lastValueFrom(merge(played$, copying$));
    if (!isResult(last)) throw new Error('the play ended without a result');
    expect(last.faults).toEqual([]);
    expect(ends.length).toBeGreaterThan(1);
    expect(ends.at(-1)?.record).toMatchObject({ stage: 'done', problem: '', size: diskBytes });
  });

  test('nothing is left when the cluster is gone: no process, no device, no folder', async () => {
    await stage.close();
    await vi.waitFor(() => expect(remainsOf(process.pid)).toEqual([]), { timeout: 10_000, interval: 50 });
  });
});

/** Copies nothing, and says that all went well. */
const liar = `
import { statSync, writeFileSync } from 'node:fs';
const root = process.env.TRANSSHIP_ROOT;
const [role, ...args] = process.argv.slice(2);
if (role === 'server') setInterval(() => {}, 1000);
else {
  const module = args.find((each) => each.startsWith('--module=')).slice('--module='.length);
  const { size } = statSync(root + '/disks/' + module + '/disk.img');
  const counted = { rc: 0, files: 1, literal: size, matched: 0, size, wireBytes: size };
  const record = { t: 'end', stage: 'done', problem: '', flushed: true, err: '', ...counted };
  console.log(JSON.stringify({ t: 'progress', bytes: size, total: size, percent: 100, bytesPerSecond: 1, secondsLeft: 0 }));
  setTimeout(() => writeFileSync(root + '/dev/termination-log', JSON.stringify(record)), 1000);
}
`;

test('a copy that only says that it is whole is found out when disks are compared', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'transship-test-'));
  const program = join(folder, 'liar.mjs');
  writeFileSync(program, liar);
  const deceived = await openStage({
    speed,
    logFile: undefined,
    keepFiles: false,
    world: { realCopies: { program: [process.execPath, program] }, disks: { writeMs: 0 } },
  });
  try {
    const images = [{ source: 'Filesystem', target: 'Filesystem' }] as const;
    const variation = { ...usualVariation, ...realVariation(undisturbed, speed), volumeModes: images };
    const last = await lastValueFrom(playRow(deceived.world, undisturbed, variation));
    expect(isResult(last) && last.faults).toEqual([
      'shop/a: 16 blocks of disk0 on a-disk0-new are not what the guest wrote',
    ]);
  } finally {
    await deceived.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
