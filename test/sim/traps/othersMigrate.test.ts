// The machine is migrated to another node by somebody else (contract §2.2), before, during and after the move of its
// disks: nobody's migration is taken for ours, and whoever asked for it, nothing is lost.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { sight } from '../sight.ts';
import { backOnSource, deleteMigration, lossless, ourPatch } from './fixtures.ts';
import { act, attempt, letPass, play, type Step, sourcesOf, steps, targetsOf, until, web } from './trap.ts';

describe('a migration of the VMI that somebody else asks for', () => {
  const disk = () => ({ accessModes: ['ReadWriteMany'] });
  const players = [{ machine: web, disk }];
  const migrate: Step = attempt(({ world }) => world.people.migrate(web));

  test('before the volume patch: waited for, and not taken for ours', () => {
    for (const delayMs of [0, 300, 900, 1040, 1055]) {
      const scene = play(
        { players, asksLater: true },
        migrate,
        steps.ask,
        letPass(delayMs),
        migrate,
        until('it is moved', (now) => now.isDone()),
        act((now) => expect(now.runsOn()).toEqual(targetsOf(web))),
        steps.movedForGood(),
      );
      lossless(scene);
    }
  });

  test('during it, or right after: whoever asked, the disks are copied, and it is moved', () => {
    for (const delayMs of [0, 2, 10, 25, 60, 700, 2800, 3000]) {
      const scene = play({ players }, ourPatch, letPass(delayMs), migrate, steps.movedForGood());
      lossless(scene);
    }
  });

  test('during it, and stopped in the middle: taken back, and moved offline', () => {
    for (const delayMs of [0, 25, 700, 1500, 2300, 2900]) {
      const scene = play(
        { players },
        ourPatch,
        letPass(20),
        migrate,
        letPass(delayMs),
        steps.stop(),
        steps.movedForGood(),
      );
      lossless(scene);
    }
  });

  test('after a revert, on a guest that runs on: a move on A is not taken for the switch-over', () => {
    for (const delayMs of [0, 3, 20, 300, 1200]) {
      const scene = play(
        { players },
        steps.holdCopy(),
        steps.copyingLive(),
        deleteMigration,
        backOnSource,
        until('its VMIM is over', (now) => now.vmims().every(({ status }) => status?.phase === 'Failed')),
        steps.releaseCopy(),
        letPass(delayMs),
        migrate,
        act((now) =>
          expect(now.vmims().some(({ metadata }) => metadata.name.startsWith('kubevirt-migrate-vm'))).toBe(true),
        ),
        until('the guest on another node', (now) => now.vmi()?.status?.nodeName === 'node2'),
        until('the migration is gone', ({ world }) => world.server.all(resources.storageMigrations).length === 0),
        letPass(30_000),
        act((now) => {
          expect(now.runsOn()).toEqual(sourcesOf(web));
          expect(sight.sideOf(now.vm(), web)).toBe('source');
        }),
      );
      lossless(scene);
    }
  });

  test('after the switch-over: it stays moved', () => {
    const scene = play(
      { players },
      until('it is moved', (now) => now.isDone()),
      letPass(200),
      migrate,
      letPass(30_000),
      steps.movedForGood(),
    );
    expect(scene.vmWrites()).toHaveLength(1);
    lossless(scene);
  });
});
