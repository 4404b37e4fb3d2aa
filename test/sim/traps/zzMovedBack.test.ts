import { expect, test } from 'vitest';
import type { RequestInfo } from '../../../src/sim/cluster.ts';
import { networkOf } from '../network.ts';
import { at, sight } from '../sight.ts';
import { act, letPass, play, type Scene, sourcesOf, steps, stays, targetsOf, until, web } from './trap.ts';

const [source = '', target = ''] = [...sourcesOf(web), ...targetsOf(web)];
const look = (scene: Scene) => ({
  vm: sight.sideOf(scene.vm(), web), strategy: at(scene.vm(), 'spec', 'updateVolumesStrategy'),
  runsOn: scene.runsOn(), vmi: scene.vmi()?.spec.volumes, st: scene.vmi()?.status?.migrationState, mv: scene.vmi()?.status?.migratedVolumes,
  cond: scene.vmi()?.status?.conditions, says: scene.says(), vmims: scene.vmims().map((v) => [v.metadata.name, v.status?.phase]),
  rec: at(scene.world.server.all({plural:'storagemigrations'} as never)[0] ?? {}, 'status'),
});

test.each([300, 600, 900, 1200])('first %s', (extra) => {
  let patches = 0;
  const network = networkOf({
    request: ({ verb, resource, body }: RequestInfo) => {
      if (verb !== 'patch' || resource.plural !== 'virtualmachines') return undefined;
      const isM = JSON.stringify(body).includes('Migration');
      patches += 1;
      console.log('patch', patches, isM);
      if (patches === 2 && !isM) return { kind: 'slow', ms: 1000 } as const;
      if (patches >= 3 && patches < 5) return { kind: 'slow', ms: 6000 + extra } as const;
      return undefined;
    },
  });
  play(
    { network },
    steps.copyingLive(),
    letPass(300),
    act(({ world }) => world.people.guestCrash(web)),
    until('second boot', ({ world }) => world.disks.boots.length === 2),
    act((s) => console.log('boot', s.world.disks.boots)),
    letPass(30_000),
    act((s) => console.log(JSON.stringify(look(s), null, 1).slice(0, 6000))),
  );
});
