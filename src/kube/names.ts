// Names, labels and annotations of what Transship makes in a cluster. Names are deterministic: making a thing twice
// meets AlreadyExists instead of making a second one.
import { createHash } from 'node:crypto';

export const labels = {
  /** One of `roles`. */
  role: 'transship.dev/role',
  /** uid of the StorageMigration that a copy pod belongs to. */
  migrationUid: 'transship.dev/migration-uid',
} as const;

export const roles = { server: 'copy-server', client: 'copy-client', keys: 'copy-keys' } as const;

export const annotations = {
  /** Name of the StorageMigration. */
  migration: 'transship.dev/migration',
  virtualMachine: 'transship.dev/virtual-machine',
  volume: 'transship.dev/volume',
  copyId: 'transship.dev/copy-id',
  source: 'transship.dev/source',
  target: 'transship.dev/target',
  /** Name of the server pod that a client talks to. */
  server: 'transship.dev/server',
  /** Name of the Secret with the keys of a server's group. */
  keys: 'transship.dev/keys',
} as const;

/** Labels of what belongs to a copy of a StorageMigration. */
export const copyLabels = (role: (typeof roles)[keyof typeof roles], migrationUid: string) => ({
  [labels.role]: role,
  [labels.migrationUid]: migrationUid,
  'app.kubernetes.io/managed-by': 'transship',
});

/** Holds a deleted StorageMigration until what it began has been cancelled. */
export const cancelFinalizer = 'transship.dev/cancel';

/** The field manager of our writes. */
export const fieldManager = 'transship';

/** Of a StorageMigration, what names are made of. */
interface Named {
  readonly name: string;
  readonly uid: string;
}

const longestName = 63;
const digestLength = 10;

/** A DNS label: a readable beginning, shortened where needed, and a digest that tells apart what it alone would not. */
const nameOf = (readable: readonly string[], identity: readonly string[]): string => {
  const digest = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, digestLength);
  const beginning = readable
    .join('-')
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-')
    .slice(0, longestName - digestLength - 1)
    .replace(/-+$/, '');
  return `${beginning}-${digest}`;
};

/** Name of the copy server of a migration's group or, with `vmName`, of the server that this machine has to itself. */
export const serverPodName = (migration: Named, vmName: string | undefined): string =>
  nameOf(
    ['copy-server', migration.name, ...(vmName === undefined ? [] : [vmName])],
    ['server', migration.uid, ...(vmName === undefined ? [] : [vmName])],
  );

/** Name of the pod that copies one disk. */
export const clientPodName = (migration: Named, vmName: string, volume: string): string =>
  nameOf(['copy-client', vmName, volume], ['client', migration.uid, vmName, volume]);

/** Name of the Secret of one copy server: with a part of chance, so that no two servers ever mean the same keys. */
export const keysName = (serverName: string, chance: string): string =>
  `${serverName.slice(0, longestName - chance.length - 1).replace(/-+$/, '')}-${chance}`;
