// How soon after a machine has stopped its disk is on the wire: the daemon over HTTP on an embedded cluster, copies by
// the programs of the copy pods. Machines are stopped one after the other, each on a migration of its own, and each copy
// is seen through to the end and compared with what its guest wrote.
import { filter, firstValueFrom, map, merge, race, take, timer } from 'rxjs';
import { errorMessage } from '../../core/errorMessage.ts';
import { resources } from '../../kube/resources.ts';
import { median } from '../bench/statistics.ts';
import { openStage, type Stage } from '../demo/stage.ts';
import { daemonOptions } from '../scenario/daemonOptions.ts';
import { ensureNamespace } from '../scenario/world.ts';
import { type Machine, type Moments, momentsOfCopy, type Step, steps } from './momentsOfCopy.ts';

export interface FirstByte {
  readonly machines: number;
  /** Medians, in ms since the machine was off; from `settled` on without the settle time. */
  readonly parts: readonly { readonly what: string; readonly atMs: number }[];
  /** For each machine, without the settle time. */
  readonly totalsMs: readonly number[];
  /** So much of it is the simulated cluster's, which gives a pod a node and starts its containers. */
  readonly simulatedMs: number;
  readonly settleMs: number;
  readonly faults: readonly string[];
}

/** How much faster than a real cluster the embedded one is; copies are as fast as they are. */
const speed = 10;

/** As recorded of a real cluster, for two pods of which the second's begins when the first has an address. */
const simulatedMs = (230 + 230 + 530) / speed;

const patienceMs = 60_000;

const migrationOf = ({ namespace, name }: Machine) => ({
  apiVersion: 'transship.dev/v1alpha1',
  kind: 'StorageMigration',
  metadata: { name: 'move', namespace },
  spec: { virtualMachines: [{ name, volumes: [{ name: 'rootdisk', target: { claimName: `${name}-new` } }] }] },
});

const phaseOf = (object: unknown): unknown =>
  (object as { readonly status?: { readonly phase?: unknown } } | undefined)?.status?.phase;

/** Waits until something is accepted after which this holds. Throws when the daemon ends by a bug. */
const until = ({ world: { server }, happening$ }: Stage, what: string, holds: () => boolean): Promise<unknown> =>
  firstValueFrom(
    race(
      merge(timer(0), server.changes$, happening$).pipe(filter(() => holds())),
      timer(patienceMs).pipe(
        map(() => {
          throw new Error(`waited in vain for ${what}`);
        }),
      ),
    ).pipe(take(1)),
  );

/** Makes a machine, starts it, has it stopped with a migration asked for, and follows that to its end. */
const stopOne = async (stage: Stage, machine: Machine): Promise<Moments> => {
  const { server, people } = stage.world;
  const { namespace, name } = machine;
  ensureNamespace(server, namespace);
  const disks = [{ name: 'rootdisk', claim: `${name}-old`, target: `${name}-new` }];
  people.createVm({ name, namespace, runStrategy: 'Always', disks });
  await until(
    stage,
    'a machine to run',
    () => phaseOf(server.read(resources.virtualMachineInstances, machine)) === 'Running',
  );
  let moments: Moments = new Map();
  people.stop(machine);
  const watching = momentsOfCopy(stage, machine).subscribe({
    next: (known) => {
      moments = known;
    },
    // Who waits for the machine hears of it as well.
    error: () => undefined,
  });
  server.create(resources.storageMigrations, migrationOf(machine), 'user');
  const migration = { namespace, name: 'move' };
  await until(stage, 'a migration to be done', () => {
    const { status } = (server.read(resources.storageMigrations, migration) ?? {}) as {
      readonly status?: { readonly summary?: string };
    };
    return status?.summary === '1/1';
  });
  watching.unsubscribe();
  return moments;
};

const missing = (moments: Moments): readonly string[] =>
  (Object.keys(steps) as Step[]).filter((step) => !moments.has(step)).map((step) => `never seen: ${steps[step]}`);

/** Stops so many machines, with `program` as the entry program of the copy pods. */
export const measureFirstByte = async (program: string, machines: number): Promise<FirstByte> => {
  const { settleMs } = daemonOptions(speed, Math.random);
  const stage = await openStage({
    speed,
    logFile: undefined,
    keepFiles: false,
    world: { disks: { writeMs: 1000 / speed }, realCopies: { program: [process.execPath, program] } },
  });
  const all: Moments[] = [];
  const faults: string[] = [];
  try {
    for (let index = 0; index < machines; index += 1) {
      const machine = { namespace: `stop-${index}`, name: `vm-${index}` };
      const moments = await stopOne(stage, machine);
      faults.push(
        ...missing(moments),
        ...stage.world.disks.lostWrites(machine).map(() => `${machine.name}: the copy is not what the guest wrote`),
      );
      all.push(moments);
    }
  } catch (error) {
    // What was measured before is of use all the same.
    faults.push(`from a stop to the first byte: ${errorMessage(error)}`);
  } finally {
    await stage.close();
  }
  const since = (moments: Moments, step: Step): number =>
    (moments.get(step) ?? Number.NaN) - (moments.get('off') ?? Number.NaN) - settleMs;
  return {
    machines,
    parts: (Object.keys(steps) as Step[])
      .filter((step) => step !== 'off')
      .map((step) => ({ what: steps[step], atMs: median(all.map((moments) => since(moments, step))) })),
    totalsMs: all.map((moments) => since(moments, 'connected')),
    ...{ simulatedMs, settleMs, faults },
  };
};
