// Facts that are remembered are the facts that would be made anew, and what nothing has touched stays the same object.
import { NEVER } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { expect, test } from 'vitest';
import { factsOf } from '../../../src/core/facts.ts';
import { daemon } from '../../../src/daemon.ts';
import { daemonOptions } from '../../../src/sim/scenario/daemonOptions.ts';
import { isResult, playRow } from '../../../src/sim/scenario/playRow.ts';
import { rows } from '../../../src/sim/scenario/rows.ts';
import { usualVariation } from '../../../src/sim/scenario/variation.ts';
import { world } from '../../../src/sim/scenario/world.ts';
import { factsMemory, membersOf } from '../../../src/streams/factsMemory.ts';
import { ingredientsOf, machineViewOf } from '../../../src/streams/machineView.ts';
import { isSynced, type Snapshot } from '../../../src/streams/snapshot.ts';
import { facts, record, wanted } from '../../core/builders.ts';

/** Plays a row with the daemon; `onSnapshot` hears every snapshot. */
const play = (number: number, onSnapshot: (snapshot: Snapshot) => void): void => {
  const row = rows.find((candidate) => candidate.number === number);
  if (row === undefined) throw new Error(`there is no row ${number}`);
  let passed = false;
  new TestScheduler(() => undefined).run(() => {
    const cluster = world();
    const options = { ...daemonOptions(1, () => 0.5), onSnapshot };
    const run = daemon(cluster.server.port({ actor: 'daemon' }), options, NEVER).subscribe();
    playRow(cluster, row, usualVariation).subscribe((item) => {
      if (!isResult(item)) return;
      passed = item.faults.length === 0;
      run.unsubscribe();
      cluster.unsubscribe();
    });
  });
  expect(passed).toBe(true);
};

test.each([2, 5, 8, 9])('in row %i, what is remembered is at every snapshot what would be made anew', (number) => {
  const memory = factsMemory();
  let compared = 0;
  let snapshots = 0;
  play(number, (snapshot) => {
    if (!isSynced(snapshot)) return;
    snapshots += 1;
    for (const migration of snapshot.migrations.all()) {
      for (const member of membersOf(migration).values()) {
        // Some are left out now and then, so that changes of several snapshots come together.
        if ((snapshots + member.text.length + compared) % 3 === 0) continue;
        const { view, ...remembered } = memory.at(snapshot)(migration, member);
        const anew = machineViewOf(snapshot, migration, member.key.machine);
        // The migration may be an older version that says the same of the machine.
        const [{ uid, generation, deleting }, ...rest] = [view.migration, ...ingredientsOf(view, snapshot).slice(1)];
        expect(migration).toMatchObject({ uid, generation, deleting });
        expect(rest).toEqual(ingredientsOf(anew, snapshot).slice(1));
        const { view: _, ...made } = factsOf(anew);
        expect(remembered).toEqual(made);
        compared += 1;
      }
    }
  });
  expect(compared).toBeGreaterThan(20);
});

test('a machine that was never accepted is a member for as long as spec names it', () => {
  const entry = { mode: 'Hold' as const, phase: '', reason: '', message: '', waitingFor: '', volumes: [] };
  const status = {
    virtualMachines: [
      { ...entry, name: 'refused' },
      { ...entry, name: 'accepted', record: record() },
    ],
  };
  const { migration } = facts({ migration: { spec: { virtualMachines: [wanted('web-1')] }, status } }).view;
  const members = membersOf(migration);
  expect([...members.keys()]).toEqual(['web-1', 'accepted']);
});

test('facts that nothing has touched stay the same object while others change', () => {
  const memory = factsMemory();
  let kept = 0;
  let changed = 0;
  let before = new Map<string, unknown>();
  play(6, (snapshot) => {
    const now = new Map<string, unknown>();
    for (const migration of snapshot.migrations.all()) {
      for (const member of membersOf(migration).values()) {
        now.set(member.text, memory.at(snapshot)(migration, member));
      }
    }
    const same = [...now].filter(([text, facts]) => before.get(text) === facts).length;
    if (same === now.size) return;
    kept += same;
    changed += now.size - same;
    before = now;
  });
  expect(changed).toBeGreaterThan(10);
  expect(kept).toBeGreaterThan(10);
});
