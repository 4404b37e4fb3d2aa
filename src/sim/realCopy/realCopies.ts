// Real copies in one piece: where claims are on this machine, what guests write there, and the programs that copy
// between them. A world that is given it has no disks in memory and nothing that pretends to copy.
// Guarantees: after close(), or when this process ends in any way that lets it do anything, no process, device or file
// of it is left.
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import type { Blocks } from '../nodes/blocks.ts';
import type { Disks } from '../nodes/disks.ts';
import { claimFolders } from './claimFolders.ts';
import { guestUser } from './guestUser.ts';
import { type ImageSize, imageBlocks } from './imageBlocks.ts';
import { nextLoopbackAddress } from './loopbackAddresses.ts';
import { type RunCopies, runCopies } from './runCopies.ts';

export interface RealCopiesOptions {
  /** Default 16 blocks of half a MiB. */
  readonly size?: ImageSize;
  /** What the image has as `transship-copy`. Default the entry program of these sources. */
  readonly program?: readonly string[];
}

export interface RealCopies {
  readonly blocks: Blocks;
  readonly nextAddress: () => string;
  /** Runs copy pods on these disks. */
  run(disks: Disks): RunCopies;
  close(): void;
}

const usualSize: ImageSize = { blocks: 16, bytesEach: 512 * 1024 };

const entryProgram = fileURLToPath(new URL('../../copy/main.ts', import.meta.url));

/** A folder in memory if there is one: what pods write into theirs is gone with them. */
const memory = '/dev/shm';

/** Named after this process, so that it can be told whose it is. */
const ownFolder = (parent: string): string => {
  const folder = mkdtempSync(join(parent, `transship-${process.pid}-`));
  // Containers may be another user's, and have to find the way through.
  chmodSync(folder, 0o711);
  return folder;
};

/** Makes the places for claims and pods of one simulated cluster. */
export const realCopies = (server: ApiServer, options: RealCopiesOptions = {}): RealCopies => {
  const size = options.size ?? usualSize;
  const program = options.program ?? [process.execPath, entryProgram];
  const disksFolder = ownFolder(tmpdir());
  const podsFolder = ownFolder(existsSync(memory) ? memory : tmpdir());
  const user = guestUser([...program, disksFolder, podsFolder]);
  const claims = claimFolders(server, join(disksFolder, 'claims'), size.blocks * size.bytesEach, user);
  const blocks = imageBlocks(claims, join(disksFolder, 'guests'), size, user);
  const all = new Subscription();
  all.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      if (resource.plural !== resources.persistentVolumeClaims.plural || type !== 'deleted') return;
      claims.remove(`${object.metadata.namespace ?? ''}/${object.metadata.name}`);
    }),
  );

  const close = (): void => {
    process.off('exit', close);
    try {
      all.unsubscribe();
    } finally {
      claims.close();
      for (const folder of [podsFolder, disksFolder]) {
        rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
      }
    }
  };
  process.once('exit', close);

  return {
    blocks,
    nextAddress: nextLoopbackAddress,
    run: (disks) => runCopies({ server, claims, user, disks, base: podsFolder, program, alive: all }),
    close,
  };
};
