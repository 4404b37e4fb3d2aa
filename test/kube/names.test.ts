// Names of copy pods: the same for the same disk, different for different ones, and as short as Kubernetes wants them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clientPodName, serverPodName } from '../../src/kube/names.ts';

const migration = { name: 'empty-old-array', uid: '2f0a' };
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

describe('names of copy pods', () => {
  test('say what the pod is for', () => {
    expect(serverPodName(migration, undefined)).toMatch(/^copy-server-empty-old-array-[0-9a-f]{10}$/);
    expect(serverPodName(migration, 'web-1')).toMatch(/^copy-server-empty-old-array-web-1-[0-9a-f]{10}$/);
    expect(clientPodName(migration, 'web-1', 'rootdisk')).toMatch(/^copy-client-web-1-rootdisk-[0-9a-f]{10}$/);
  });

  test('are the same for the same thing and differ between migrations of one name', () => {
    expect(clientPodName(migration, 'web-1', 'rootdisk')).toBe(clientPodName({ ...migration }, 'web-1', 'rootdisk'));
    expect(clientPodName(migration, 'web-1', 'rootdisk')).not.toBe(
      clientPodName({ ...migration, uid: '2f0b' }, 'web-1', 'rootdisk'),
    );
  });

  test('differ where the readable part is alike or cut off', () => {
    const long = 'x'.repeat(200);
    const names = [
      clientPodName(migration, 'a-b', 'c'),
      clientPodName(migration, 'a', 'b-c'),
      clientPodName(migration, 'a.b', 'c'),
      clientPodName(migration, `${long}1`, 'c'),
      clientPodName(migration, `${long}2`, 'c'),
      serverPodName(migration, undefined),
      serverPodName(migration, 'a'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  test('are DNS labels whatever the names are', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (name, vm, volume) => {
        expect(clientPodName({ name, uid: 'u' }, vm, volume)).toMatch(dnsLabel);
        expect(serverPodName({ name, uid: 'u' }, vm)).toMatch(dnsLabel);
      }),
    );
  });
});
