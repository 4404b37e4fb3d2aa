// The manifests of the copy pods: what a cluster with Pod Security takes, whose files and devices they may touch, and
// that they are valid however long the names are that people give.
import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/api.ts';
import { copyClientPod, copyServerPod, type MountedClaim } from '../../src/kube/copyPods.ts';
import { keysName, serverPodName } from '../../src/kube/names.ts';
import { recordedDisk } from '../core/builders.ts';
import { at } from '../sim/sight.ts';
import { againstBaseline, againstRestricted } from './podSecurity.ts';

type Mode = MountedClaim['volumeMode'];

const owner = { namespace: 'shop', name: 'move', uid: '0b8c3d3e-6c0c-4f37-9d8b-6a5b5f5f1a11' };
const serverFor = (...modes: readonly Mode[]): KubeObject => {
  const targets = modes.map((volumeMode, index) => ({ claim: `target-${index}`, volumeMode }));
  return copyServerPod(owner, { machine: undefined, targets, keys: 'keys' }, 'image');
};
const clientFor = (sourceMode: Mode, targetMode: Mode = 'Filesystem', further = {}): KubeObject =>
  copyClientPod(
    owner,
    {
      machine: 'web-1',
      disk: recordedDisk(),
      copyId: '100',
      server: { name: 'copy-server', address: '10.0.0.7', keys: 'keys' },
      ...{ sourceMode, targetMode, fresh: true, bytesPerSecond: undefined, verify: false },
      ...further,
    },
    'image',
  );
const listAt = (object: unknown, ...path: readonly string[]): readonly unknown[] => {
  const found = at(object, ...path);
  return Array.isArray(found) ? found : [];
};

describe('Pod Security', () => {
  test.each([
    ['a server of file systems', serverFor('Filesystem', 'Filesystem')],
    ['a client of a file system', clientFor('Filesystem')],
    ['a client of a file system that is copied onto a device', clientFor('Filesystem', 'Block')],
  ])('`restricted` takes %s', (_, pod) => {
    expect(againstRestricted(pod)).toEqual([]);
  });

  const root = ['runAsNonRoot', 'runAsUser'];
  // Without it an rsync daemon that is root serves nobody: the copies in test/copy are made with nothing but it.
  const groups = 'capability SETGID is added';
  test.each([
    ['a server of a device', serverFor('Block'), [groups, ...root]],
    ['a server of a device and a file system', serverFor('Filesystem', 'Block'), [groups, ...root]],
    ['a client of a device', clientFor('Block'), root],
  ])('`baseline` takes %s, which `restricted` refuses for what it takes to be root', (_, pod, refused) => {
    expect(againstBaseline(pod)).toEqual([]);
    expect(againstRestricted(pod)).toEqual(refused);
  });

  test('the rules see what they are there for', () => {
    const spec = { hostNetwork: true, volumes: [{ name: 'v', hostPath: {} }], containers: [{ name: 'c' }] };
    const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec };
    expect(againstBaseline(pod)).toEqual(['hostNetwork', 'hostPath']);
    expect(againstRestricted(pod)).toEqual([
      ...['hostNetwork', 'hostPath', 'hostPath'],
      ...['allowPrivilegeEscalation', 'capabilities are kept', 'runAsNonRoot', 'seccompProfile'],
    ]);
  });
});

test.each([clientFor('Filesystem'), serverFor('Filesystem')])('no mesh puts a container beside the copy', (pod) => {
  // That one would never end, and with it neither would the pod.
  expect(pod.metadata.labels).toMatchObject({ 'sidecar.istio.io/inject': 'false', 'istio.io/dataplane-mode': 'none' });
  expect(pod.metadata.annotations).toMatchObject({
    'sidecar.istio.io/inject': 'false',
    'linkerd.io/inject': 'disabled',
  });
});

describe('what the pods may read and write', () => {
  test.each([clientFor('Filesystem'), clientFor('Block')])('a client cannot write its source', (pod) => {
    const claims = listAt(pod, 'spec', 'volumes').flatMap((volume) => at(volume, 'persistentVolumeClaim') ?? []);
    expect(claims).toEqual([{ claimName: 'web-1-root', readOnly: true }]);
  });

  test.each([clientFor('Filesystem'), clientFor('Block'), serverFor('Filesystem'), serverFor('Block')])(
    'the keys are for the user and the group of the pod, and for nobody else',
    (pod) => {
      const [secret] = listAt(pod, 'spec', 'volumes').flatMap((volume) => at(volume, 'secret') ?? []);
      // A kubelet gives files of a Secret to root and to fsGroup: without a capability root, too, reads by these bits.
      expect(at(secret, 'defaultMode')).toBe(0o440);
      expect(at(pod, 'spec', 'securityContext', 'fsGroup')).toBe(at(pod, 'spec', 'securityContext', 'runAsGroup'));
    },
  );

  test('a client is given the password of its own disk and no other', () => {
    const [secret] = listAt(clientFor('Filesystem'), 'spec', 'volumes').flatMap((each) => at(each, 'secret') ?? []);
    expect(listAt(secret, 'items').map((item) => at(item, 'key'))).toEqual(['psk', 'password.web-1-root-fast']);
  });
});

describe('names as long as they may be', () => {
  const machine = 'v'.repeat(63);
  const target = `${'t'.repeat(200)}.${'u'.repeat(43)}`;
  const source = 's'.repeat(253);
  const long = { ...owner, name: 'm'.repeat(253) };
  const server = copyServerPod(
    long,
    {
      machine,
      targets: [{ claim: target, volumeMode: 'Filesystem' }],
      keys: keysName(serverPodName(long, machine), '0123456789'),
    },
    'image',
  );
  const client = clientFor('Filesystem', 'Filesystem', {
    machine,
    disk: { ...recordedDisk(), volume: 'd'.repeat(63), source, target },
  });

  test.each([server, client])('make a pod that the API server takes', ({ metadata, ...rest }) => {
    const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
    expect(metadata.name).toMatch(label);
    for (const value of Object.values(metadata.labels ?? {})) expect(value).toMatch(label);
    const volumes = listAt(rest, 'spec', 'volumes');
    for (const volume of volumes) expect(at(volume, 'name')).toMatch(label);
    for (const volume of volumes) expect(String(at(volume, 'secret', 'secretName') ?? 'none')).toMatch(label);
    const keys = volumes.flatMap((volume) => listAt(volume, 'secret', 'items')).map((item) => String(at(item, 'key')));
    for (const key of keys) expect(key).toMatch(/^[-._a-zA-Z0-9]{1,253}$/);
  });
});
