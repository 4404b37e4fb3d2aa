// The manifests against an API server: all of them are accepted, in the order in which kubectl sends them; a
// StorageMigration is checked by the CRD from deploy/ itself, and a wrong one is refused with its field named.
import { describe, expect, test } from 'vitest';
import { KubeFailure, type KubeObject, type Resource } from '../../src/kube/api.ts';
import { resources } from '../../src/kube/resources.ts';
import { apiServer } from '../../src/sim/apiServer/apiServer.ts';
import type { ApiServer, Json } from '../../src/sim/cluster.ts';
import { type Manifest, manifests } from './manifests.ts';

const resourceOf = (server: ApiServer, object: Manifest): Resource => {
  const found = server
    .kinds()
    .map((kind) => kind.resource)
    .find(
      ({ group, version, kind }) =>
        kind === object.kind && (group === '' ? version : `${group}/${version}`) === object.apiVersion,
    );
  if (found === undefined) {
    throw new Error(`the server has no ${object.apiVersion} ${object.kind}`);
  }
  return found;
};

/** As `kubectl apply --server-side` does it. */
function apply(server: ApiServer, object: Manifest): KubeObject {
  const { name, namespace } = object.metadata;
  const ref = { name, ...(namespace === undefined ? {} : { namespace }) };
  const patch = { type: 'apply', body: object, fieldManager: 'kubectl', force: false } as const;
  return server.patch(resourceOf(server, object), ref, patch, 'user');
}

function installed(): ApiServer {
  const server = apiServer();
  for (const object of [...manifests().values()].flat()) {
    apply(server, object);
  }
  server.create(
    resourceOf(server, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    'user',
  );
  return server;
}

const [example] = manifests('examples/').get('storage-migration.yaml') ?? [];
if (example === undefined) {
  throw new Error('deploy/examples/storage-migration.yaml is empty');
}

const refusal = (write: () => unknown): KubeFailure => {
  try {
    write();
  } catch (error) {
    if (error instanceof KubeFailure) {
      return error;
    }
    throw error;
  }
  throw new Error('accepted, but expected to be refused');
};

describe('deploy/', () => {
  test('is accepted as a whole, in the order of the file names', () => {
    const server = installed();
    for (const object of [...manifests().values()].flat()) {
      const { name, namespace } = object.metadata;
      expect(
        server.read(resourceOf(server, object), { name, ...(namespace === undefined ? {} : { namespace }) }),
        `${object.kind} ${name}`,
      ).toBeDefined();
    }
  });

  test('applied a second time changes nothing', () => {
    const server = installed();
    const versions = () =>
      [...manifests().values()]
        .flat()
        .map((object) => apply(server, object).metadata)
        .map(({ name, resourceVersion, generation }) => ({ name, resourceVersion, generation }));
    expect(versions()).toEqual(versions());
  });

  test.each(['one-namespace.yaml', 'sidecar.yaml'])('examples/%s is accepted beside it', (file) => {
    const server = installed();
    for (const object of manifests('examples/').get(file) ?? []) {
      expect(apply(server, object).metadata.uid).toBeDefined();
    }
  });
});

describe('a StorageMigration', () => {
  test('the example is accepted and kept as it was written', () => {
    const server = installed();
    const made = apply(server, example);
    expect(made['spec']).toEqual(example['spec']);
    expect(made.metadata.generation).toBe(1);
  });

  test('what is left out is filled in', () => {
    const server = installed();
    const made = server.create(resources.storageMigrations, migration(), 'user');
    expect(made['spec']).toMatchObject({
      transfer: { server: 'Shared', verify: false },
      retention: 'KeepSource',
      paused: false,
    });
  });

  test('a status sent along with it is not taken over, and writing status leaves spec alone', () => {
    const server = installed();
    const made = server.create(resources.storageMigrations, { ...migration(), status: { summary: '9/9' } }, 'user');
    expect(made['status']).toBeUndefined();
    const patched = server.patch(
      resources.storageMigrations,
      { namespace: 'shop', name: 'm' },
      { type: 'merge', body: { spec: { paused: true }, status: { summary: '0/1' } } },
      'daemon',
      { subresource: 'status' },
    );
    expect(patched).toMatchObject({ spec: { paused: false }, status: { summary: '0/1' } });
    expect(patched.metadata.generation).toBe(1);
  });

  test('a field that nobody knows is dropped, but not inside what was recorded of a machine', () => {
    const server = installed();
    const ref = { namespace: 'shop', name: 'm' };
    const made = server.create(resources.storageMigrations, migration({ retries: 3 }), 'user');
    expect(made['spec']).not.toHaveProperty('retries');
    const entry = {
      name: 'rootdisk',
      persistentVolumeClaim: { claimName: 'a', hotpluggable: true },
      newInV9: { x: 1 },
    };
    const record = {
      vmUid: 'u',
      disks: [{ volume: 'rootdisk', source: 'a', sourceUid: 's', target: 'b', entry }],
      seenOnTarget: false,
      sourcesDeleted: false,
    };
    const machine = {
      name: 'web-1',
      mode: 'Live',
      phase: 'Waiting',
      reason: '',
      message: '',
      waitingFor: '',
      volumes: [],
      record,
    };
    const patch = { type: 'merge', body: { status: { virtualMachines: [machine] } } } as const;
    const patched = server.patch(resources.storageMigrations, ref, patch, 'daemon', { subresource: 'status' });
    expect(patched['status']).toMatchObject({ virtualMachines: [{ record: { disks: [{ entry }] } }] });
  });
});

const disk = { name: 'rootdisk', target: { claimName: 'web-1-fast' } };
const machine = { name: 'web-1', volumes: [disk] };

function migration(spec: Json = {}): KubeObject {
  return {
    apiVersion: 'transship.dev/v1alpha1',
    kind: 'StorageMigration',
    metadata: { namespace: 'shop', name: 'm' },
    spec: { virtualMachines: [machine], ...spec },
  };
}

const withTarget = (target: Json): Json => ({
  virtualMachines: [{ name: 'web-1', volumes: [{ name: 'rootdisk', target }] }],
});

const volumePath = 'spec.virtualMachines[0].volumes[0]';

describe('a StorageMigration is refused with the field named', () => {
  test.each<[string, Json, string]>([
    ['no machine', { virtualMachines: [] }, 'spec.virtualMachines'],
    ['machines left out', { virtualMachines: undefined }, 'spec.virtualMachines'],
    ['one machine twice', { virtualMachines: [machine, machine] }, 'spec.virtualMachines[1]'],
    [
      'a machine without disks',
      { virtualMachines: [{ name: 'web-1', volumes: [] }] },
      'spec.virtualMachines[0].volumes',
    ],
    [
      'one disk twice',
      { virtualMachines: [{ name: 'web-1', volumes: [disk, disk] }] },
      'spec.virtualMachines[0].volumes[1]',
    ],
    [
      'a disk without target',
      { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'x' }] }] },
      `${volumePath}.target`,
    ],
    ['a target without claim', withTarget({}), `${volumePath}.target.claimName`],
    ['a claim name with capitals', withTarget({ claimName: 'Web_1' }), `${volumePath}.target.claimName`],
    ['a volume mode of old', withTarget({ claimName: 'b', volumeMode: 'Raw' }), `${volumePath}.target.volumeMode`],
    [
      'an access mode that cannot be written',
      withTarget({ claimName: 'b', accessModes: ['ReadOnlyMany'] }),
      `${volumePath}.target.accessModes[0]`,
    ],
    ['no access mode', withTarget({ claimName: 'b', accessModes: [] }), `${volumePath}.target.accessModes`],
    ['a kind of server that does not exist', { transfer: { server: 'Both' } }, 'spec.transfer.server'],
    ['a bandwidth in words', { transfer: { bandwidthLimit: 'fast' } }, 'spec.transfer.bandwidthLimit'],
    ['no bandwidth at all', { transfer: { bandwidthLimit: '0Mi' } }, 'spec.transfer.bandwidthLimit'],
    ['a retention that does not exist', { retention: 'Delete' }, 'spec.retention'],
    ['a text for a switch', { paused: 'yes' }, 'spec.paused'],
  ])('%s', (_, spec, field) => {
    const server = installed();
    const failure = refusal(() => server.create(resources.storageMigrations, migration(spec), 'user'));
    expect(failure.code).toBe(422);
    expect(failure.reason).toBe('Invalid');
    expect(failure.message).toContain(`${field}: `);
  });
});
