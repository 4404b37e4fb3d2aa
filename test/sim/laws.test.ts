// That the laws can be broken: for each, a daemon that does the one thing it must not, played by hand. A law that
// nobody can break proves nothing.
import { describe, expect, test } from 'vitest';
import { annotations, labels, roles } from '../../src/kube/names.ts';
import { resources } from '../../src/kube/resources.ts';
import { act, backupPod, letPass, type Moment, machine, namespace, type Scene, scene, until } from './scene.ts';
import { at } from './sight.ts';

const web = machine('web');
const ref = { namespace, name: 'web' };
const bad = 'daemon 9';
const halted = { runStrategy: 'Halted' } as const;

const isRunning = ({ world }: Scene): boolean =>
  at(world.server.read(resources.virtualMachineInstances, ref), 'status', 'phase') === 'Running';
const make = (vm: object = {}): Moment => act((performing) => performing.create(web, vm));

/** The VM's volume is put on a claim, as a patch of the daemon does it. */
const put = (claim: string, strategy = 'Migration'): Moment =>
  act(({ world }) => {
    const volumes = [{ name: 'disk0', persistentVolumeClaim: { claimName: claim } }];
    const body = { spec: { updateVolumesStrategy: strategy, template: { spec: { volumes } } } };
    world.server.patch(resources.virtualMachines, ref, { type: 'merge', body }, bad);
  });

const makePod = (role: string, claim: string): Moment =>
  act(({ world }) => {
    world.server.create(
      resources.pods,
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: `bad-${role}`,
          namespace,
          labels: { [labels.role]: role, [labels.migrationUid]: 'x' },
          annotations: {
            [annotations.source]: 'web-old',
            [annotations.target]: 'web-new',
            [annotations.server]: `bad-${roles.server}`,
          },
        },
        spec: {
          containers: [{ name: 'copy', image: 'i' }],
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName: claim } }],
        },
      },
      bad,
    );
  });

const makeServer = makePod(roles.server, 'web-new');
const makeClient = makePod(roles.client, 'web-old');

const remove = (resource: (typeof resources)[keyof typeof resources], name: string): Moment =>
  act(({ world }) => world.server.remove(resource, { namespace, name }, bad));

interface Crime {
  readonly law: string;
  readonly what: string;
  readonly found: string;
  readonly moments: readonly Moment[];
}

const running: readonly Moment[] = [make(), until(isRunning), letPass(5000)];
const off: readonly Moment[] = [make(halted), letPass(5000)];
const people = (does: (world: Scene['world']) => void): Moment => act(({ world }) => does(world));
const copying: readonly Moment[] = [
  ...running,
  put('web-new'),
  until(({ world }) => world.disks.content(namespace, 'web-new').some((block) => block !== undefined)),
];

const crimes: readonly Crime[] = [
  {
    law: 'Exclusion',
    what: 'moves a running VM beside its copy server',
    found: 'were moved while',
    moments: [
      ...off,
      makeServer,
      people((world) => world.people.start(ref)),
      until(isRunning),
      letPass(3000),
      put('web-new'),
    ],
  },
  { law: 'Exclusion', what: 'makes a copy pod for a running VM', found: 'VMI web', moments: [...running, makeServer] },
  {
    law: 'Exclusion',
    what: 'makes a copy pod while a launcher is terminating',
    found: 'virt-launcher',
    moments: [...running, people((world) => world.people.stop(ref)), letPass(500), makeClient],
  },
  {
    law: 'Exclusion',
    what: 'makes a copy pod beside somebody else’s pod',
    found: 'pod backup',
    moments: [
      ...off,
      people((world) => world.server.create(resources.pods, backupPod('web-old'), 'user')),
      letPass(2000),
      makeClient,
    ],
  },
  {
    law: 'Stopped means stopped',
    what: 'makes a copy pod for a VM with runStrategy Always',
    found: 'runStrategy Always',
    moments: [
      act((performing) =>
        performing.create(web, {
          runStrategy: 'Always',
          disks: [
            { name: 'disk0', claim: 'web-old', target: 'web-new' },
            { name: 'disk1', claim: 'missing', dataVolume: 'template' },
          ],
        }),
      ),
      letPass(5),
      makeServer,
      letPass(30),
      remove(resources.pods, `bad-${roles.server}`),
      makeServer,
    ],
  },
  {
    law: 'Truth',
    what: 'lets a VM boot on an empty target',
    found: 'was started on web-new',
    moments: [
      ...off,
      people((world) => world.people.setClaims(ref, { disk0: 'web-new' }, 'Replacement')),
      people((world) => world.people.start(ref)),
      letPass(5000),
    ],
  },
  {
    law: 'Cut-over only what is whole',
    what: 'cuts over what was never copied',
    found: 'lacks',
    moments: [...off, put('web-new')],
  },
  {
    law: 'Cut-over only what is whole',
    what: 'cuts over right after a start that was taken back',
    found: 'started or stopped',
    moments: [
      ...off,
      makeServer,
      makeClient,
      letPass(8000),
      remove(resources.pods, `bad-${roles.server}`),
      remove(resources.pods, `bad-${roles.client}`),
      letPass(2000),
      people((world) => world.people.setRunStrategy(ref, 'Always')),
      people((world) => world.people.setRunStrategy(ref, 'Halted')),
      put('web-new'),
    ],
  },
  {
    law: 'Truth',
    what: 'moves a VM that is being deleted',
    found: 'not Running',
    moments: [...running, people((world) => world.people.deleteVmi(ref)), letPass(200), put('web-new')],
  },
  {
    law: 'Revert first',
    what: 'does not revert when the VM is stopped in the middle',
    found: 'was not reverted',
    moments: [...copying, people((world) => world.people.stop(ref)), letPass(3000)],
  },
  {
    law: 'Switch-over wins',
    what: 'reverts after the switch-over',
    found: 'after the switch-over',
    moments: [
      ...running,
      put('web-new'),
      until(
        ({ world }) =>
          at(
            world.server.read(resources.virtualMachineInstances, ref),
            'status',
            'migrationState',
            'targetNodeDomainReadyTimestamp',
          ) !== undefined,
      ),
      letPass(100),
      put('web-old'),
    ],
  },
  {
    law: 'Starting waits',
    what: 'moves a VM right after it began to run',
    found: 'began or ceased',
    moments: [make(), until(isRunning), letPass(300), put('web-new')],
  },
  {
    law: 'Hands off',
    what: 'deletes a pod that is not its own',
    found: 'deleted pod virt-launcher',
    moments: [
      ...running,
      act(({ world }) => {
        const [pod] = world.server.all(resources.pods, namespace);
        world.server.remove(resources.pods, { namespace, name: pod?.metadata.name ?? '' }, bad);
      }),
    ],
  },
  {
    law: 'Hands off',
    what: 'deletes a source',
    found: 'to be kept',
    moments: [...off, remove(resources.persistentVolumeClaims, 'web-old')],
  },
  {
    law: 'Hands off',
    what: 'deletes a target',
    found: 'deleted persistentvolumeclaims',
    moments: [...off, remove(resources.persistentVolumeClaims, 'web-new')],
  },
  {
    law: 'Hands off',
    what: 'deletes a VMI',
    found: 'deleted virtualmachineinstances',
    moments: [...running, remove(resources.virtualMachineInstances, 'web')],
  },
];

describe('is broken by a daemon that', () => {
  test.each(crimes)('$what: $law', ({ law, found, moments }) => {
    expect(() => scene([web], moments)).toThrow(new RegExp(`LAW BROKEN: ${law}[\\s\\S]*${found}`));
  });

  test('starts anything before the start-up hold is over: Starting waits', () => {
    const asks = act((performing) => performing.move(performing.specOf(web)));
    const early: Moment = (performing) => {
      performing.start();
      return letPass(10)(performing);
    };
    const asDaemon: Moment = act(({ world, instances }) => {
      const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
      const metadata = { name: 'other-new', namespace };
      world.server.create(
        resources.persistentVolumeClaims,
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec },
        `daemon ${instances()}`,
      );
    });
    const other = machine('other');
    expect(() => scene([web, other], [...off, asks, letPass(1000), early, asDaemon])).toThrow(
      /LAW BROKEN: Starting waits[\s\S]*after the start of the daemon/,
    );
  });

  test('touches a VM that is done: Done stays done', () => {
    const asks = act((performing) => performing.move(performing.specOf(web)));
    const isDone = until((performing) => at(performing.entry(web), 'mode') === 'Done');
    expect(() => scene([web], [...off, asks, isDone, letPass(3000), put('web-old')])).toThrow(
      /LAW BROKEN: (Done stays done|Truth)/,
    );
  });
});
