// What virt-controller knows of VMs: the API server's objects, or, with a delay, what they were a while ago. It is why a
// VMI may be started from a VM that was halted or cut over meanwhile (contract §4.6).
import { asyncScheduler, Subscription } from 'rxjs';
import { resources } from '../../kube/resources.ts';
import type { ApiServer } from '../cluster.ts';
import { model } from './model.ts';
import type { Vm } from './objects.ts';

export interface VmCache {
  get(namespace: string, name: string): Vm | undefined;
  unsubscribe(): void;
}

/** The cache of VMs, `delayMs` behind; `changed` is called for each version when it has arrived. */
export const vmCache = (
  server: ApiServer,
  delayMs: number,
  changed: (namespace: string, name: string) => void,
): VmCache => {
  const held = new Map<string, Vm>();
  const subscriptions = new Subscription();
  for (const vm of server.all(resources.virtualMachines)) {
    held.set(`${vm.metadata.namespace ?? ''}/${vm.metadata.name}`, model.as<Vm>(vm));
  }
  const take = (type: string, vm: Vm): void => {
    const { namespace, name } = vm.metadata;
    if (type === 'deleted') held.delete(`${namespace}/${name}`);
    else held.set(`${namespace}/${name}`, vm);
    changed(namespace, name);
  };
  subscriptions.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      if (resource.plural !== resources.virtualMachines.plural) return;
      const vm = model.as<Vm>(object);
      if (delayMs === 0) take(type, vm);
      else subscriptions.add(asyncScheduler.schedule(() => take(type, vm), delayMs));
    }),
  );
  return {
    get: (namespace, name) => held.get(`${namespace}/${name}`),
    unsubscribe: () => subscriptions.unsubscribe(),
  };
};
