// The keys of one copy server: a Secret with the TLS key of the group and a password for each disk, so that a client
// can write the one disk it is given the password of, and nothing else. The server's pod owns it: the cluster removes
// it with the pod, whatever becomes of the daemon, so the daemon need not be able to read or delete Secrets.
import type { Pod } from '../core/objects.ts';
import type { KubeObject } from './api.ts';
import { copyLabels, roles } from './names.ts';
import { resources } from './resources.ts';

const keyBytes = 32;

/** Fresh keys for the disks that `server` mounts; `randomHex` gives so many random bytes, in hexadecimal digits. */
export const copyKeys = (server: Pod, randomHex: (bytes: number) => string): KubeObject => ({
  apiVersion: resources.secrets.version,
  kind: resources.secrets.kind,
  metadata: {
    name: server.keys,
    namespace: server.namespace,
    labels: copyLabels(roles.keys, server.migrationUid),
    ownerReferences: [
      {
        apiVersion: resources.pods.version,
        kind: resources.pods.kind,
        name: server.name,
        uid: server.uid,
        controller: true,
      },
    ],
  },
  type: 'Opaque',
  immutable: true,
  stringData: {
    psk: randomHex(keyBytes),
    ...Object.fromEntries(server.claims.map((claim) => [`password.${claim}`, randomHex(keyBytes)])),
  },
});
