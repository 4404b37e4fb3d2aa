// From what is decided about a copy pod to its manifest: looks up how each claim is to be mounted, and takes over what
// spec.transfer asks for. Each server gets keys of its own, named here and made by groupKeys.ts.
import type { GroupCommand } from '../core/groups.ts';
import type { MigrationView } from '../core/migration.ts';
import { quantityBytes } from '../core/quantity.ts';
import type { KubeObject } from '../kube/api.ts';
import { copyClientPod, copyServerPod, type MountedClaim } from '../kube/copyPods.ts';
import { keysName, serverPodName } from '../kube/names.ts';
import type { EffectDeps } from './deps.ts';

/** Random part of the name of a Secret, in bytes. */
const chanceBytes = 5;

/** The pod that `command` asks for. */
export const copyManifest = (
  command: Exclude<GroupCommand, { kind: 'deletePod' }>,
  { migration, members }: MigrationView,
  { copyImage, randomHex }: Pick<EffectDeps, 'copyImage' | 'randomHex'>,
): KubeObject => {
  const volumeModeOf = (claim: string): MountedClaim['volumeMode'] =>
    members[0]?.view.claim(claim)?.volumeMode ?? 'Filesystem';
  if (command.kind === 'createServer') {
    const { machine } = command;
    const targets = command.targets.map((claim) => ({ claim, volumeMode: volumeModeOf(claim) }));
    const keys = keysName(serverPodName(migration, machine), randomHex(chanceBytes));
    return copyServerPod(migration, { machine, targets, keys }, copyImage);
  }
  const { bandwidthLimit, verify } = migration.spec.transfer;
  const { kind: _, ...client } = command;
  return copyClientPod(
    migration,
    {
      ...client,
      sourceMode: volumeModeOf(command.disk.source),
      targetMode: volumeModeOf(command.disk.target),
      bytesPerSecond: bandwidthLimit === undefined ? undefined : quantityBytes(bandwidthLimit),
      verify,
    },
    copyImage,
  );
};
