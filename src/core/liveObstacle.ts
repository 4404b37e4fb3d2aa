// What would keep KubeVirt from migrating a machine's volumes live, so that the patch is not even sent: sent all the
// same it would do nothing and the next boot would use an empty B (contract §0.7, §1.2, §1.3). Pure.
import type { Attention } from './decision.ts';
import type { MachineFacts, MachineView } from './facts.ts';
import type { KubeVirtSettings } from './objects.ts';
import type { MigrationRecord } from './storageMigration.ts';
import { targetObstacle } from './targets.ts';
import { claimOf, volumeName } from './volumes.ts';

/** `vX.Y` with X.Y below 1.6, where an unset rollout strategy means Stage. */
const stagesByDefault = (version: string): boolean => {
  const match = /^v?(\d+)\.(\d+)\./.exec(version);
  return match !== null && Number(match[1]) === 1 && Number(match[2]) < 6;
};

/** Cluster settings under which KubeVirt will not migrate volumes (contract §1.2). */
export const settingsObstacle = (settings: KubeVirtSettings | undefined): Attention | undefined => {
  if (settings === undefined) {
    return {
      reason: 'KubeVirtNotFound',
      message: 'no KubeVirt object is seen in the cluster; install KubeVirt, or allow this daemon to list kubevirts',
    };
  }
  const strategy = settings.rolloutStrategy;
  if (strategy !== 'LiveUpdate' && (strategy !== '' || stagesByDefault(settings.version))) {
    return {
      reason: 'RolloutStrategyNotLiveUpdate',
      message: `KubeVirt's spec.configuration.vmRolloutStrategy is ${strategy || 'unset'}; set it to LiveUpdate`,
    };
  }
  if (!settings.workloadUpdateMethods.includes('LiveMigrate')) {
    return {
      reason: 'LiveMigrateNotEnabled',
      message: `KubeVirt's spec.workloadUpdateStrategy.workloadUpdateMethods is [${settings.workloadUpdateMethods.join(', ')}]; add LiveMigrate, without it no migration is ever created`,
    };
  }
  return undefined;
};

/** A volume of the machine that stands on a ReadWriteOnce claim and is not among those to be moved (contract §1.3). */
export const leftOutVolume = (view: MachineView, moved: readonly string[]): string | undefined => {
  for (const entry of view.machine?.volumes ?? []) {
    const claim = view.claim(claimOf(entry));
    if (claim === undefined || moved.includes(volumeName(entry))) continue;
    if (!claim.accessModes.includes('ReadWriteMany')) return volumeName(entry);
  }
  return undefined;
};

/** The first reason not to begin a live migration of an accepted machine. */
export const liveObstacle = (facts: MachineFacts, record: MigrationRecord): Attention | undefined => {
  const { view } = facts;
  const setting = settingsObstacle(view.settings);
  if (setting !== undefined) return setting;
  const restart = view.machine?.restartRequired;
  if (restart !== undefined) {
    return {
      reason: 'RestartRequired',
      message: `the VM must be restarted before its volumes can be migrated: ${restart}`,
    };
  }
  const leftOut = leftOutVolume(
    view,
    record.disks.map((disk) => disk.volume),
  );
  if (leftOut !== undefined) {
    return {
      reason: 'DiskLeftOut',
      message: `volume ${leftOut} is ReadWriteOnce and not part of the migration; add it to spec.virtualMachines, or stop the VM`,
    };
  }
  return targetObstacle(facts, record);
};
