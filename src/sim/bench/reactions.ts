// Disturbs machines and measures, inside the server's process, how long the daemon takes: from the moment in which a
// VMI is marked for deletion to the arrival of the PATCH that takes the VM back to its source claims. Every write of
// the daemon is judged as well: only the right one counts, and no machine may be touched that nobody disturbed.
import diagnostics from 'node:diagnostics_channel';
import { isDeepStrictEqual } from 'node:util';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, Change, Json } from '../cluster.ts';
import { type Machine, rootEntryOf, templateOf } from './machine.ts';

/** How machines are disturbed. */
export interface Disturbance {
  /** So many in the same moment; the next when all of them were answered. */
  readonly burst: number;
  readonly machines: number;
  /** Events per second about other machines meanwhile. */
  readonly otherEventsPerSecond: number;
}

export interface Reactions {
  /** One for each machine that was disturbed and answered. */
  readonly latenciesMs: readonly number[];
  /** What the daemon did wrong, as sentences. */
  readonly faults: readonly string[];
}

/** Time between an answer and the next disturbance, in ms. */
const pauseMs = 20;
const patienceMs = 30_000;

const keyOf = (namespace: string | undefined, name: string): string => `${namespace}/${name}`;

const vmPath = /^\/apis\/kubevirt\.io\/v1\/namespaces\/([^/]+)\/virtualmachines\/([^/?]+)\?/;

/** Whether this is the VM as it was before the live migration, but for what KubeVirt and the strategy leave. */
const isReverted = ({ object }: Change, machine: Machine): boolean => {
  const spec = object['spec'] as { readonly dataVolumeTemplates?: unknown; readonly template: { readonly spec: Json } };
  const volumes = spec.template.spec['volumes'] as readonly Json[];
  return (
    isDeepStrictEqual(spec.dataVolumeTemplates, [templateOf(machine)]) &&
    volumes.length === 2 &&
    isDeepStrictEqual(volumes[0], rootEntryOf(machine)) &&
    volumes[1]?.['name'] === 'cloudinit'
  );
};

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Watches over all that the daemon writes to this server; `machines` are all there are. */
export const reactionsOf = (server: ApiServer, machines: readonly Machine[]) => {
  const byKey = new Map(machines.map((machine) => [keyOf(machine.namespace, machine.name), machine]));
  const untouched = machines.filter(({ migrating }) => migrating);
  const others = machines.filter(({ migrating }) => !migrating);
  const disturbedAt = new Map<string, number>();
  const arrivedAt = new Map<string, number>();
  const reverted = new Set<string>();
  let faults: string[] = [];
  let whenReverted: (() => void) | undefined;

  const onRequest = (message: unknown): void => {
    const { method, url = '' } = (message as { readonly request: { readonly method?: string; readonly url?: string } })
      .request;
    const [, namespace, name = ''] = (method === 'PATCH' ? vmPath.exec(url) : null) ?? [];
    const key = keyOf(namespace, name);
    if (namespace !== undefined && !arrivedAt.has(key)) arrivedAt.set(key, performance.now());
  };
  diagnostics.subscribe('http.server.request.start', onRequest);

  const changes = server.changes$.subscribe((change) => {
    if (change.actor !== 'daemon') return;
    const { plural } = change.resource;
    const { namespace, name } = change.object.metadata;
    const key = keyOf(namespace, name);
    if (plural === resources.storageMigrations.plural || plural === resources.events.plural) return;
    const machine = byKey.get(key);
    if (plural !== resources.virtualMachines.plural || machine === undefined) {
      faults.push(`the daemon wrote ${plural} ${key} (${change.type})`);
    } else if (!disturbedAt.has(key)) faults.push(`VM ${key} was changed although nobody disturbed it`);
    else if (reverted.has(key)) faults.push(`VM ${key} was changed a second time`);
    else if (!isReverted(change, machine)) faults.push(`VM ${key} was changed, but not back to its source claims`);
    else {
      reverted.add(key);
      whenReverted?.();
    }
  });

  const disturb = (machine: Machine): string => {
    const { namespace, name } = machine;
    const key = keyOf(namespace, name);
    disturbedAt.set(key, performance.now());
    server.remove(resources.virtualMachineInstances, { namespace, name }, 'user');
    return key;
  };

  /** Resolves when all are reverted, or patience is at its end. */
  const answered = async (keys: readonly string[]): Promise<void> => {
    const done = new Promise<void>((resolve) => {
      whenReverted = () => {
        if (keys.every((key) => reverted.has(key))) resolve();
      };
      whenReverted();
    });
    let patience: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, patienceMs);
    });
    await Promise.race([done, late]);
    clearTimeout(patience);
    for (const key of keys) {
      if (!reverted.has(key)) faults.push(`VM ${key} was not reverted within ${patienceMs} ms`);
    }
  };

  /** Changes of machines that are in no migration, as their guest agents cause them. */
  const makeNoise = (perSecond: number): (() => void) => {
    if (perSecond === 0 || others.length === 0) return () => undefined;
    let made = 0;
    const timer = setInterval(() => {
      made += 1;
      const machine = others[(made * 7919) % others.length];
      if (machine === undefined) return;
      const body = { status: { guestOSInfo: { kernelVersion: `build ${made}` } } };
      server.patch(resources.virtualMachineInstances, machine, { type: 'merge', body }, 'virt-handler');
    }, 1000 / perSecond);
    return () => clearInterval(timer);
  };

  return {
    /** Disturbs machines that were not disturbed before. */
    measure: async ({ burst, machines: count, otherEventsPerSecond }: Disturbance): Promise<Reactions> => {
      faults = [];
      const keys: string[] = [];
      const stopNoise = makeNoise(otherEventsPerSecond);
      while (keys.length < count) {
        const together = untouched.splice(0, Math.min(burst, count - keys.length)).map(disturb);
        if (together.length === 0) break;
        keys.push(...together);
        await answered(together);
        await wait(pauseMs);
      }
      stopNoise();
      const latenciesMs = keys.flatMap((key) => {
        const [from, to] = [disturbedAt.get(key), arrivedAt.get(key)];
        return from === undefined || to === undefined || !reverted.has(key) ? [] : [to - from];
      });
      return { latenciesMs, faults };
    },
    close: (): void => {
      changes.unsubscribe();
      diagnostics.unsubscribe('http.server.request.start', onRequest);
    },
  };
};
