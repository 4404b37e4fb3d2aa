// Plays a recording on the simulated KubeVirt, in virtual time. An act comes when the simulation stands where the
// recording stood when it came, or as long after the act before it as recorded if that was less than a second; so a
// recording made on a slow machine, or at another beat of KubeVirt's throttle, can be followed.
import { type Subscription, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { apiServer } from '../apiServer/apiServer.ts';
import { kubeVirt } from '../kubevirt/kubeVirt.ts';
import type { KubeVirtOptions } from '../kubevirt/options.ts';
import { actorOf } from './actor.ts';
import { hasReached, passingOf } from './compare.ts';
import type { Recorded } from './recording.ts';
import { type Step, shortGapMs, stepsOf } from './steps.ts';
import { type Sequences, type Timeline, timeline } from './timeline.ts';

const settleMs = 200;
const patienceMs = 60_000;
const pollMs = 5;

const hasSeen = (seen: Sequences, wanted: Sequences): boolean =>
  [...wanted].every(([object, fields]) => {
    const mine = seen.get(object);
    return [...fields].every(([field, values]) => hasReached(mine?.get(field) ?? [], values, passingOf(object, field)));
  });

/** Replays a recording; the timeline of what the simulated KubeVirt did. */
export const replay = (recorded: readonly Recorded[], options: KubeVirtOptions = {}): Timeline => {
  const seen = timeline();
  const steps = stepsOf(recorded);
  const scheduler = new TestScheduler(() => undefined);
  scheduler.run(() => {
    let changed = true;
    const namespaces = new Set(
      recorded.flatMap((line) => (line.kind === 'event' ? [line.object.metadata.namespace ?? 'default'] : [])),
    );
    const server = apiServer({ namespaces: ['default', ...namespaces] });
    server.changes$.subscribe(({ resource, type, object }) => {
      changed = true;
      if (resource.plural !== 'kubevirts') seen.take(resource.plural, type, object);
    });
    const kube = kubeVirt(server, options);
    const actor = actorOf(server, kube, recorded, seen);
    for (const { act } of steps) {
      // The nodes of the recordings held every copy until they were told otherwise.
      const namespace = [...namespaces][0] ?? 'default';
      if (act?.act === 'create VM') kube.nodeSide({ namespace, name: act.vm }, { copy: 'hold' });
    }
    let next = 0;
    let lastAct = server.now();
    let reachedAt: number | undefined;

    const isDue = (step: Step): boolean => {
      const now = server.now();
      if (step.act !== undefined && step.gapMs < shortGapMs) return now - lastAct >= step.gapMs;
      if (reachedAt === undefined && changed) {
        changed = false;
        if (hasSeen(seen.sequences(), step.seen)) reachedAt = now;
      }
      const settled = reachedAt !== undefined && now - reachedAt >= Math.min(step.quietMs, settleMs);
      return settled || now - lastAct > step.gapMs + patienceMs;
    };

    const poll: Subscription = timer(0, pollMs).subscribe(() => {
      for (let step = steps[next]; step !== undefined; step = steps[next]) {
        actor.createClaims(step.until);
        if (!isDue(step)) return;
        if (step.act !== undefined) actor.perform(step.act);
        next += 1;
        changed = true;
        lastAct = server.now();
        reachedAt = undefined;
      }
      poll.unsubscribe();
      kube.unsubscribe();
    });
  });
  return seen;
};
