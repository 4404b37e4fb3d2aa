// Which VMIM a VMI's migrationState and which launcher belong to which VMIM.
import { resources } from '../../kube/resources.ts';
import { type Context, virtController } from './context.ts';
import { model } from './model.ts';
import type { Pod, Vmi, Vmim } from './objects.ts';

/** Phases in which a VMIM has a target launcher. */
const withTarget: ReadonlySet<string> = new Set([
  'Scheduling',
  'Scheduled',
  'PreparingTarget',
  'TargetReady',
  'Running',
]);

const targetPodOf = (context: Context, vmi: Vmi, vmim: Vmim): Pod | undefined =>
  context.podsOf(vmi).find((pod) => pod.metadata.labels?.['kubevirt.io/migrationJobUID'] === vmim.metadata.uid);

const owns = (vmi: Vmi, vmim: Vmim): boolean => vmi.status?.migrationState?.migrationUid === vmim.metadata.uid;

const canMigrate = (context: Context, vmi: Vmi, vmim: Vmim): boolean => {
  const current = vmi.status?.migrationState?.migrationUid ?? '';
  if (current === '' || owns(vmi, vmim)) return true;
  const other = context
    .migrationsOf(vmi.metadata.namespace, vmi.metadata.name)
    .find(({ metadata }) => metadata.uid === current);
  return other === undefined || model.isFinished(other);
};

const replace = (context: Context, vmim: Vmim): void => {
  context.server.replace(resources.virtualMachineInstanceMigrations, vmim, virtController);
};

export const vmimOf = { withTarget, targetPodOf, owns, canMigrate, replace };
