// From any combination of facts, possible or not, the little world comes to rest when it is left alone: the machine is
// moved, a person is asked, or a thing outside is waited for by name. On the way no law is broken.
import { expect, test } from 'vitest';
import type { Decision } from '../../src/core/decision.ts';
import { factsOf } from '../../src/core/facts.ts';
import { startMs } from './builders.ts';
import { type Combination, combinations } from './combinations.ts';
import { daemonTurn, emptyWorld, factsFor, type World } from './world.ts';
import { move } from './worldMoves.ts';

/** Every so many combinations are driven; prime, so that it meets every value of every fact with every other. */
const stride = 47;

const worldOf = ({ view }: Combination): World => {
  const world = emptyWorld(view.migration, startMs);
  if (view.machine !== undefined) world.vms.set('web-1', view.machine);
  if (view.instance !== undefined) world.vmis.set('web-1', view.instance);
  if (view.lastInstance !== undefined) world.ended.set('web-1', view.lastInstance);
  for (const attempt of view.attempts) world.attempts.set(attempt.uid, attempt);
  for (const pod of view.pods) world.pods.set(pod.name, pod);
  return world;
};

/** A migration that was there before the attempt ended before it, on A: it cannot be the one that copies to B. */
const couldBegin = ({ view }: Combination): boolean => {
  const { record, spec } = factsOf(view);
  return spec === 'source' || (record?.live?.knownMigrations ?? []).length === 0;
};

/** What only others can change, and this world leaves as it is. */
const outside: readonly RegExp[] = [
  /^a person to decide$/,
  /^the migration to be accepted$/,
  /^spec\.paused to be false$/,
  /^pods to let go of (its|the target) claims: (debug|copy-server|launcher)/,
  /^the copy pods to be gone: copy-server/,
  /^others to let go of the source claims: pod/,
  /^the machine to be seen running on the target before/,
  /^the machine to run on the target undisturbed/,
];

const isAtRest = (world: World, decision: Decision | undefined): boolean => {
  if (decision === undefined) return false;
  if (decision.attention !== undefined) return true;
  if (decision.phase === 'Moved' || decision.phase === 'Cancelled')
    return decision.waitingFor === '' || outside.some((thing) => thing.test(decision.waitingFor));
  if (factsFor(world, 'web-1').goal === 'pause' && decision.phase === 'CopyingOffline') return true;
  return outside.some((thing) => thing.test(decision.waitingFor));
};

test('from every combination the world comes to rest', { timeout: 60_000 }, () => {
  const faults = new Map<string, string>();
  const ends = new Map<string, number>();
  let index = 0;
  for (const combination of combinations()) {
    index += 1;
    if (index % stride !== 0 || !couldBegin(combination)) continue;
    const world = worldOf(combination);
    let last: Decision | undefined;
    let step = 0;
    for (; step < 200; step += 1) {
      const turn = daemonTurn(world);
      last = turn.decisions.get('web-1');
      const moved = move(world);
      world.now += 1000;
      if (!turn.acted && !moved && turn.checkAgainMs === undefined) break;
    }
    const found = [...world.faults].filter((fault) => fault !== '2: the guest runs on less than it has written');
    if (step === 200) found.push('it never ends');
    else if (!isAtRest(world, last)) found.push(`it rests in: ${last?.phase}, ${last?.waitingFor}`);
    for (const fault of found)
      if (!faults.has(fault)) faults.set(fault, `${combination.label()}\n${world.log.join('\n')}`);
    const end = last?.attention?.reason ?? last?.phase ?? '';
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  expect(Object.fromEntries(faults)).toStrictEqual({});
  // The sample reaches every way in which it can end.
  expect([...ends.keys()]).toEqual(
    expect.arrayContaining([
      'Moved',
      'Cancelled',
      'Waiting',
      'SwitchOverUnknown',
      'ForeignVolumes',
      'BootedOnIncompleteTarget',
      'BootedOnStaleSource',
      'TargetNamedByOthers',
    ]),
  );
});
