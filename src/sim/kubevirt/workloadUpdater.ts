// virt-controller's workload updater: makes the VMIM for a VMI whose volumes change, and deletes it when that was taken
// back (contract §2.2, §3). It looks at everything at most every few seconds, five by default.
import { asyncScheduler, Subscription } from 'rxjs';
import { KubeFailure } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { type Context, virtController } from './context.ts';
import { model } from './model.ts';
import type { Vmi, Vmim } from './objects.ts';

const isChanging = (vmi: Vmi): boolean => model.hasCondition(vmi.status?.conditions, 'VolumesChange', 'True');

const isOurs = (vmim: Vmim): boolean =>
  vmim.metadata.annotations?.['kubevirt.io/workloadUpdateMigration'] !== undefined;

const isUnfinished = (vmim: Vmim): boolean => !model.isFinished(vmim);

/** Unfinished automatic VMIMs that nothing asks for any more; none once the guest has switched over. */
const toAbort = (context: Context, vmi: Vmi): readonly Vmim[] => {
  if (isChanging(vmi) || vmi.status?.migrationState?.targetNodeDomainReadyTimestamp !== undefined) return [];
  return context
    .migrationsOf(vmi.metadata.namespace, vmi.metadata.name)
    .filter((vmim) => isOurs(vmim) && isUnfinished(vmim) && vmim.metadata.deletionTimestamp === undefined);
};

const isCandidate = (context: Context, vmi: Vmi): boolean =>
  isChanging(vmi) &&
  !model.isMigrating(vmi) &&
  !context.migrationsOf(vmi.metadata.namespace, vmi.metadata.name).some(isUnfinished);

const create = (context: Context, vmi: Vmi): void => {
  const { namespace, name, uid } = vmi.metadata;
  context.server.create(
    resources.virtualMachineInstanceMigrations,
    {
      apiVersion: 'kubevirt.io/v1',
      kind: 'VirtualMachineInstanceMigration',
      metadata: {
        name: '',
        generateName: 'kubevirt-workload-update-',
        namespace,
        annotations: { 'kubevirt.io/workloadUpdateMigration': '' },
        labels: { 'kubevirt.io/volume-update-migration': name.length > 63 ? uid : name },
      },
      spec: { vmiName: name, priority: 'user-triggered' },
    },
    virtController,
  );
};

/** Evicting a VMI that cannot be migrated ends its guest: it boots again on what the VM names by then (contract §1.2). */
const evict = (context: Context, vmi: Vmi): void => {
  const { namespace, name, uid } = vmi.metadata;
  context.server.remove(resources.virtualMachineInstances, { namespace, name }, virtController, { uid });
};

const shuffled = <T>(items: readonly T[], random: () => number): readonly T[] =>
  items
    .map((item) => ({ item, place: random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ item }) => item);

/** Makes a VMIM; says whether the webhook let it in. */
const attempt = (context: Context, vmi: Vmi): boolean => {
  try {
    create(context, vmi);
    return true;
  } catch (refusal) {
    if (!(refusal instanceof KubeFailure)) throw refusal;
    return false;
  }
};

/** Says whether it has to look again: a webhook refused something. */
const update = (context: Context): boolean => {
  const { methods, deployed, parallelMigrationsPerCluster } = context.settings();
  if (!deployed) return false;
  const vmis = (context.server.all(resources.virtualMachineInstances) as readonly Vmi[]).filter(
    (vmi) => model.isRunning(vmi) && vmi.metadata.deletionTimestamp === undefined,
  );
  for (const vmi of vmis) {
    for (const vmim of toAbort(context, vmi)) {
      const { namespace, name, uid } = vmim.metadata;
      context.server.remove(resources.virtualMachineInstanceMigrations, { namespace, name }, virtController, { uid });
    }
  }
  const candidates = vmis.filter((vmi) => isCandidate(context, vmi));
  if (!methods.includes('LiveMigrate')) {
    if (methods.includes('Evict')) for (const vmi of candidates) evict(context, vmi);
    return false;
  }
  const free = parallelMigrationsPerCluster - context.allMigrations().filter(isUnfinished).length;
  const chosen = shuffled(candidates, context.options.random).slice(0, Math.max(0, free));
  return chosen.map((vmi) => attempt(context, vmi)).includes(false);
};

/** Runs the workload updater until unsubscribed. */
export const workloadUpdater = (context: Context): Subscription => {
  const { server, options } = context;
  let waiting: Subscription | undefined;
  const wake = (): void => {
    if (waiting !== undefined) return;
    waiting = asyncScheduler.schedule(() => {
      waiting = undefined;
      if (update(context)) wake();
    }, options.throttleMs);
  };
  const subscription = new Subscription();
  subscription.add(
    server.changes$.subscribe(({ resource, object, previous }) => {
      if (resource.plural === 'kubevirts' || resource.plural === 'virtualmachineinstancemigrations') wake();
      if (resource.plural !== 'virtualmachineinstances') return;
      const vmi = model.as<Vmi>(object);
      const cancelled = previous !== undefined && isChanging(model.as<Vmi>(previous)) && !isChanging(vmi);
      if (!model.isFinal(vmi) && (cancelled || (isChanging(vmi) && !model.isMigrating(vmi)))) wake();
    }),
  );
  subscription.add(() => waiting?.unsubscribe());
  return subscription;
};
