// Others who use the claims or write the VM: pods and VMs on B, controllers that take our patch back or repeat it, and
// disks that have to be put back to the letter.
import { describe, expect, test } from 'vitest';
import { resources } from '../../../src/kube/resources.ts';
import { model } from '../../../src/sim/kubevirt/model.ts';
import type { Vm } from '../../../src/sim/kubevirt/objects.ts';
import { at, sight } from '../sight.ts';
import { accepted, lossless, mountTarget, unmountTarget } from './fixtures.ts';
import {
  act,
  goodNetwork,
  letPass,
  machineOf,
  play,
  type Scene,
  type Step,
  sourcesOf,
  stays,
  steps,
  targetsOf,
  until,
  web,
} from './trap.ts';

const [target = ''] = targetsOf(web);

const isUntouched = (scene: Scene): boolean => scene.vmWrites().length === 0 && scene.copyPods().length === 0;

describe.each([true, false])("somebody else's pod on B, the machine on: %s", (on) => {
  const players = [{ machine: web, on }];

  test('before it is accepted: refused, nothing is touched; once the pod is gone it is moved', () => {
    const scene = play(
      { players, asksLater: true },
      mountTarget,
      letPass(2000),
      steps.ask,
      steps.attention('TargetInUse'),
      stays('untouched', isUntouched, 30_000),
      unmountTarget,
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('after it is accepted: waited for', () => {
    const scene = play(
      { players },
      accepted,
      mountTarget,
      stays('untouched', isUntouched, 30_000),
      unmountTarget,
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('in the middle of the copy: nothing is lost, whoever gets there first', () => {
    for (const delayMs of [0, 300, 900, 1700, 2600]) {
      const scene = play(
        { players },
        on ? steps.copyingLive() : steps.copyingOffline(),
        letPass(delayMs),
        mountTarget,
        letPass(20_000),
        unmountTarget,
        steps.movedForGood(),
      );
      lossless(scene);
    }
  });
});

describe('another VM that names B', () => {
  const other = machineOf('other');
  const createOther = (claim: string): Step =>
    act(({ world }) => {
      world.people.createVm({ name: 'other', namespace: web.namespace, runStrategy: 'Halted', disks: [{ claim }] });
    });
  const deleteOther: Step = act(({ world }) => world.people.deleteVm(other));

  test.each([true, false])('before it is accepted, the machine on: %s: refused until that VM is gone', (on) => {
    const scene = play(
      { players: [{ machine: web, on }], asksLater: true },
      createOther(target),
      steps.ask,
      steps.attention('TargetInUse'),
      stays('untouched', isUntouched, 30_000),
      deleteOther,
      steps.movedForGood(),
    );
    lossless(scene);
  });

  test('after the copy, before the cut-over: attention, and the machine stays on A', () => {
    const scene = play(
      { players: [{ machine: web, on: false }] },
      steps.copyingOffline(),
      createOther(target),
      steps.attention('TargetInUse'),
      letPass(30_000),
      act((now) => expect(sight.sideOf(now.vm(), web)).toBe('source')),
      deleteOther,
      steps.movedForGood(),
    );
    lossless(scene);
  });
});

describe('a controller that takes our patch back', () => {
  const wanted = (machine = web) => Object.fromEntries(machine.disks.map(({ volume, source }) => [volume, source]));

  /** Puts A back as soon as it sees B, `delayMs` later, as often as it takes. */
  const puttingBack =
    (delayMs: number): Step =>
    (scene) => {
      const { server, people } = scene.world;
      scene.world.server.changes$.subscribe(({ actor, resource }) => {
        if (!actor.startsWith('daemon') || resource.plural !== resources.virtualMachines.plural) return;
        letPass(delayMs)(scene).subscribe(() => {
          if (sight.sideOf(server.read(resources.virtualMachines, web), web) === 'target')
            people.setClaims(web, wanted());
        });
      });
      return letPass(0)(scene);
    };

  test.each([5, 500, 2500])(
    '%i ms later: tried a few times, then given up with a reason, and the VM is on A',
    (delayMs) => {
      const scene = play(
        {},
        puttingBack(delayMs),
        steps.attention('LiveMigrationUndone'),
        letPass(60_000),
        act((now) => {
          expect(now.runsOn()).toEqual(sourcesOf(web));
          expect(sight.sideOf(now.vm(), web)).toBe('source');
        }),
      );
      const attempts = scene.vmWrites().filter(({ object }) => sight.sideOf(object, web) === 'target').length;
      expect(attempts).toBe(5);
      lossless(scene);
    },
  );

  test('of a machine that is off: the cut-over is not repeated without end', () => {
    const scene = play({ players: [{ machine: web, on: false }] }, puttingBack(50), letPass(400_000));
    const attempts = scene.vmWrites().filter(({ object }) => sight.sideOf(object, web) === 'target').length;
    expect(attempts).toBeLessThanOrEqual(5);
    lossless(scene);
  });
});

describe('a controller that puts B again after our revert', () => {
  const insisting =
    (delayMs: number, times: number): Step =>
    (scene) => {
      let left = times;
      scene.world.server.changes$.subscribe(({ actor, resource, object }) => {
        if (!actor.startsWith('daemon') || resource.plural !== resources.virtualMachines.plural) return;
        if (sight.sideOf(object, web) !== 'source' || left === 0) return;
        left -= 1;
        letPass(delayMs)(scene).subscribe(() => {
          const claims = Object.fromEntries(web.disks.map(({ volume, target: claim }) => [volume, claim]));
          scene.world.people.setClaims(web, claims, 'Migration');
        });
      });
      return letPass(0)(scene);
    };

  test.each([3, 40, 200])(
    '%i ms later, a few times: reverted again each time, nothing half-copied is booted',
    (delayMs) => {
      const scene = play(
        { network: goodNetwork() },
        insisting(delayMs, 3),
        steps.holdCopy(),
        steps.copyingLive(),
        steps.stop(),
        steps.off(),
        letPass(3000),
        act((now) => expect(sight.sideOf(now.vm(), web)).toBe('source')),
        steps.movedForGood(),
      );
      lossless(scene);
    },
  );

  test('long after it, on a machine that is off: left to a person, nothing is copied or started', () => {
    const scene = play(
      { network: goodNetwork() },
      steps.holdCopy(),
      steps.copyingLive(),
      steps.stop(),
      steps.copyingOffline(),
      act(({ world }) => world.people.setClaims(web, { disk0: target }, 'Migration')),
      steps.attention('TargetNamedByOthers'),
      until('the copy pods to be gone', (now) => now.copyPods().length === 0),
      stays('no copy pods', (now) => now.copyPods().length === 0, 60_000),
      act(({ world }) => world.people.setClaims(web, { disk0: sourcesOf(web)[0] ?? '' })),
      steps.movedForGood(),
    );
    lossless(scene);
  });
});

describe('disks of every kind', () => {
  const machine = machineOf('web', 3);
  const kinds = [{ dataVolume: 'template' }, { dataVolume: 'plain', hotplug: true }, { hotplug: true }] as const;
  const players = (on: boolean) => [{ machine, on, disk: (index: number) => kinds[index] ?? {} }];
  const specOf = (scene: Scene) => {
    const { template, dataVolumeTemplates } = model.as<Vm>(scene.vm(machine)).spec;
    return { volumes: template.spec.volumes, disks: template.spec.domain?.devices?.disks, dataVolumeTemplates };
  };

  test.each(['a stop', 'the migration deleted'] as const)('after %s the VM is restored to the letter', (cause) => {
    let before: unknown;
    const scene = play(
      { players: players(true), asksLater: true },
      act((now) => {
        before = specOf(now);
      }),
      steps.ask,
      steps.holdCopy(machine),
      steps.copyingLive(machine),
      act((now) => expect(specOf(now)).not.toEqual(before)),
      act((now) => {
        expect(
          now
            .vm(machine)
            .spec.template.spec.volumes?.map((volume) => at(volume, 'persistentVolumeClaim', 'hotpluggable')),
        ).toEqual([undefined, true, true]);
      }),
      act(({ world }) => {
        if (cause === 'a stop') world.people.stop(machine);
        else world.server.remove(resources.storageMigrations, { namespace: machine.namespace, name: 'move' }, 'user');
      }),
      until('the revert', (now) => sight.sideOf(now.vm(machine), machine) === 'source'),
      act((now) => expect(specOf(now)).toEqual(before)),
      steps.releaseCopy(machine),
      letPass(20_000),
    );
    expect(scene.world.disks.lostWrites(machine)).toEqual([]);
  });

  test.each([true, false])('are moved, the machine on: %s', (on) => {
    const scene = play({ players: players(on) }, steps.movedForGood(machine));
    expect(at(scene.vm(machine), 'spec', 'dataVolumeTemplates') ?? []).toEqual([]);
  });
});
