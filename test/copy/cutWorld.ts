// What a run happens in: a source, a server that is made again when nothing of the one before is left, the network, and
// clients one after the other, as the daemon makes them. An attempt ends with what a kubelet would tell of its client.
import { rmSync, truncateSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../main/process.ts';
import { guest } from './cutDisk.ts';
import { type Cut, mostGrowth, type Plan } from './cutPlan.ts';
import { startRelay, type WirePoint } from './cutRelay.ts';
import { type Struck, strike } from './cutStrike.ts';
import { device, image } from './disks.ts';
import { freeAddress, type Line, processesOf, type RunningPod, transferGroup } from './stage.ts';

/** One attempt. `end` is undefined for a client that was stopped for good. */
export interface Attempt {
  readonly struck: Struck | undefined;
  readonly end: { readonly code: number | NodeJS.Signals; readonly record: Line } | undefined;
  readonly stdout: string;
  /** Bytes on rsync's line both ways, with what TLS adds. */
  readonly wireBytes: number;
}

const module = 'web-1';
/** How long what is stopped for good stays so while a client tries to reach it. */
const lostMs = 6000;
/** Far longer than any attempt takes. */
const patienceMs = 150_000;

const gone = (pod: RunningPod) => until(() => processesOf(pod.pid).length === 0);

/** What is left of a pod lives on for a moment and goes. */
const clear = async (pod: RunningPod, remainsMs = 0): Promise<void> => {
  await sleep(remainsMs);
  pod.killAll();
  await gone(pod);
};

/** Keeps a server there; `remainsMs` tells how long the rest of one that has ended lives on. */
const keepServer = (start: () => RunningPod, remainsMs: () => number) => {
  let pod = start();
  let starts = 1;
  let closing = false;
  const kept = (async () => {
    for (;;) {
      await pod.ended;
      await clear(pod, remainsMs());
      if (closing) return;
      pod = start();
      starts += 1;
    }
  })();
  const close = async (): Promise<void> => {
    closing = true;
    pod.killAll();
    await kept;
  };
  return { pod: () => pod, starts: () => starts, close };
};

const wirePoint = ({ point }: Cut, toSend: number): WirePoint =>
  point.at === 'copy'
    ? { line: 'rsync', bytes: Math.max(1, Math.floor(point.share * toSend)), late: false }
    : { line: 'control', bytes: point.bytes, late: point.at === 'proof' };

export const cutWorld = async (plan: Plan) => {
  const { fill, change } = guest(plan.seed);
  const group = transferGroup();
  let size = plan.segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const room = size + (plan.source === 'file' ? mostGrowth : 0) + plan.spare;
  const targetDevice = plan.target === 'block' ? group.deviceTarget(module, room) : undefined;
  const target = targetDevice?.path ?? group.fileTarget(module);
  let [root, source]: [string | undefined, string] = [undefined, ''];
  let cutNow: Cut | undefined;
  const timeout = plan.timeoutSeconds === undefined ? [] : [`--timeout=${plan.timeoutSeconds}`];
  const server = keepServer(
    () => group.server(timeout),
    () => cutNow?.remainsMs ?? 0,
  );
  const relay = await startRelay(freeAddress(), group.address);

  const makeSource = (folder: string): void => {
    source = plan.source === 'block' ? `${folder}/disk` : `${folder}/disk.img`;
    if (plan.source === 'block') device(source, size);
    else image(source, Buffer.alloc(size));
    fill(source, plan.segments);
  };
  const startClient = (fresh: boolean): RunningPod => {
    // Each pod has a termination message of its own.
    if (root !== undefined) truncateSync(`${root}/dev/termination-log`);
    const limit = plan.bandwidthLimit === undefined ? [] : [`--bandwidth-limit=${plan.bandwidthLimit}`];
    const args = [...timeout, ...limit, ...(fresh ? ['--fresh'] : []), ...(plan.verify ? ['--verify'] : [])];
    const { source, target } = plan;
    const where = root === undefined ? { disk: makeSource } : { root };
    const pod = group.client({ ...where, source, target, module, server: relay.address, args });
    root = pod.root;
    return pod;
  };

  const late: (() => unknown)[] = [];
  /** What an attempt before has left in the world: bytes under way, a pod that is stopped. */
  const letGo = async (): Promise<void> => {
    for (const each of late.splice(0)) await each();
  };
  /** Puts right what a cut has stopped: at once, in the middle of the next attempt, or after it. */
  const restore = async (cut: Cut, struck: Struck, client: RunningPod): Promise<void> => {
    const early = cut.which < 0.5;
    if (struck.lost === 'server' && early) server.pod().killAll();
    else if (struck.lost === 'client') late.push(() => clear(client));
    else if (cut.blow === 'part' && !early) late.push(struck.release);
    else if (cut.blow === 'part') void sleep(cut.remainsMs).then(struck.release);
    else if (cut.stoppedMs === undefined) struck.release();
  };

  /** Runs a client to its end. `toSend`: about how many bytes it will send. */
  const attempt = async (fresh: boolean, cut: Cut | undefined, toSend: number): Promise<Attempt> => {
    relay.begin();
    cutNow = cut;
    const client = startClient(fresh);
    const hit = Promise.withResolvers<Struck>();
    let struck: Struck | undefined;
    if (cut !== undefined) {
      relay.at(wirePoint(cut, toSend), async () => {
        await sleep(cut.restMs);
        struck = strike(cut, client, server.pod(), relay);
        hit.resolve(struck);
        if (cut.stoppedMs === undefined && struck.lost !== 'client') {
          void sleep(lostMs, undefined, { ref: false }).then(struck.release);
        }
      });
    }
    const givenUp = hit.promise.then(async ({ lost }) => {
      if (lost !== 'client') return client.ended;
      await sleep(cut?.remainsMs);
      return undefined;
    });
    const endless = sleep(patienceMs, 'endless' as const, { ref: false });
    const end = await Promise.race([client.ended, givenUp, endless]);
    if (end === 'endless') throw new Error(`the client does not end:\n${client.stdout()}\n${server.pod().stdout()}`);
    const wireBytes = relay.passed();
    if (end !== undefined) await clear(client, cut?.remainsMs);
    await letGo();
    if (cut !== undefined && struck !== undefined) await restore(cut, struck, client);
    return { struck, end, stdout: client.stdout(), wireBytes };
  };

  return {
    target,
    source: () => source,
    /** Differences are looked for, so that a resume sends less. */
    matches: plan.bandwidthLimit !== undefined || targetDevice?.real === true,
    attempt,
    /** Settles when nothing of any attempt is under way any more. */
    settle: async (): Promise<void> => {
      await letGo();
      await until(relay.isIdle);
    },
    serverStarts: server.starts,
    change: (planned: Parameters<typeof change>[3]): void => {
      size = change(source, size, target, planned);
    },
    /** Makes the target as empty as a new claim's. */
    empty: (): void => {
      if (targetDevice === undefined) rmSync(target);
      // A real device is discarded by the first copy of the run.
      else if (!targetDevice.real) for (const bytes of [0, room]) truncateSync(target, bytes);
    },
    close: async (): Promise<void> => {
      await letGo();
      await server.close();
      relay.close();
    },
  };
};
