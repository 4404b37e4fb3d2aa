// The nine rows with nothing pretended about the offline copies: the programs of the copy pods run as they would in the
// image, with rsync in TLS between loopback addresses, onto images and loop devices, and at the end every disk is compared
// with what its guest wrote, byte for byte.
import { lastValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseCopyEndRecord } from '../../src/core/copyEndRecord.ts';
import { annotations, labels, roles } from '../../src/kube/names.ts';
import { openStage, type Stage } from '../../src/sim/demo/stage.ts';
import { model } from '../../src/sim/kubevirt/model.ts';
import type { Pod } from '../../src/sim/kubevirt/objects.ts';
import { isResult, playRow, type RowResult, usualVariation } from '../../src/sim/scenario/playRow.ts';
import { realVariation } from '../../src/sim/scenario/realVariation.ts';
import { type Row, rows } from '../../src/sim/scenario/rows.ts';
import { remainsOf } from './realCopyRemains.ts';

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
    world: { realCopies: {}, disks: { writeMs: 1000 / speed } },
  });
  stage.world.server.changes$.subscribe(({ resource, type, object, previous }) => {
    if (resource.plural !== 'pods' || type !== 'modified' || previous === undefined) return;
    const end = endOf(model.as<Pod>(object));
    if (end !== undefined && endOf(model.as<Pod>(previous)) === undefined) ends.push(end);
  });
});
afterAll(() => stage.close());

const play = async (row: Row): Promise<RowResult> => {
  ends = [];
  const variation = { ...usualVariation, namespace: `row-${row.number}`, ...realVariation(row, speed) };
  const last = await lastValueFrom(playRow(stage.world, row, variation));
  if (!isResult(last)) throw new Error('the play ended without a result');
  return last;
};

const offline = (row: Row, word: string): readonly string[] =>
  row.machines.flatMap(({ name }) =>
    row.chains.some((chain) => chain.includes(`${word.replace('*', name)}`)) ? [name] : [],
  );

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

  test('nothing is left when the cluster is gone: no process, no device, no folder', async () => {
    await stage.close();
    await vi.waitFor(() => expect(remainsOf(process.pid)).toEqual([]), { timeout: 10_000, interval: 50 });
  });
});
