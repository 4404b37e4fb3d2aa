// Reads from an embedded cluster when each step came on the way from a machine's stop to the first byte of its disk on
// the wire: from what the API server accepts, from what the daemon tells, and from what the copy pods write.
import { distinctUntilChanged, filter, interval, map, merge, mergeMap, type Observable, scan } from 'rxjs';
import type { Happening } from '../../effects/happening.ts';
import type { KubeObject } from '../../kube/api.ts';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { Change } from '../cluster.ts';
import type { Stage } from '../demo/stage.ts';

/** The steps in the order in which they are told; copy pods start side by side, so that some may come the other way round. */
export const steps = {
  off: 'the API server shows the VM off, without VMI and virt-launcher',
  settled: 'its mode has settled',
  recorded: 'the beginning of the copy is recorded',
  serverMade: 'the server pod is made',
  addressed: 'the server pod has an address (simulated scheduler)',
  clientMade: 'the client pod is made',
  serverRuns: 'the server program is started (simulated kubelet)',
  clientRuns: 'the client program is started (simulated kubelet)',
  listening: 'the server listens',
  letIn: 'the client is let in and may have the target prepared',
  connected: "the server's rsync has the client's connection",
} as const;

export type Step = keyof typeof steps;

/** When each step was first seen, on the clock of `performance.now()`. */
export type Moments = ReadonlyMap<Step, number>;

export interface Machine {
  readonly namespace: string;
  readonly name: string;
}

/** Often enough for what is told in ms. */
const lookMs = 1;

type Fields = Readonly<Record<string, unknown>>;

const statusOf = (object: KubeObject): Fields => (object['status'] ?? {}) as Fields;

const isRecorded = (migration: KubeObject): boolean => {
  const machines = (statusOf(migration)['virtualMachines'] ?? []) as readonly { readonly record?: Fields }[];
  return machines.some(({ record }) => record?.['offline'] !== undefined);
};

const stepsOfPod = (pod: KubeObject, type: Change['type']): readonly Step[] => {
  const { phase, podIP } = statusOf(pod);
  const isServer = pod.metadata.labels?.[labels.role] === roles.server;
  const isClient = pod.metadata.labels?.[labels.role] === roles.client;
  const found: (Step | false)[] = [
    isServer && type === 'added' && 'serverMade',
    isServer && podIP !== undefined && 'addressed',
    isServer && phase === 'Running' && 'serverRuns',
    isClient && type === 'added' && 'clientMade',
    isClient && phase === 'Running' && 'clientRuns',
  ];
  return found.filter((step) => step !== false);
};

const isOff = ({ world: { server } }: Stage, machine: Machine): boolean =>
  server.read(resources.virtualMachineInstances, machine) === undefined &&
  !server
    .all(resources.pods, machine.namespace)
    .some(
      (pod) =>
        pod.metadata.annotations?.['kubevirt.io/domain'] === machine.name &&
        !['Succeeded', 'Failed'].includes(String(statusOf(pod)['phase'])),
    );

const stepsOfChange = (stage: Stage, machine: Machine, { resource, type, object }: Change): readonly Step[] => {
  if (object.metadata.namespace !== machine.namespace) return [];
  const off: readonly Step[] = isOff(stage, machine) ? ['off'] : [];
  switch (resource.plural) {
    case resources.pods.plural:
      return [...off, ...stepsOfPod(object, type)];
    case resources.storageMigrations.plural:
      return [...off, ...(isRecorded(object) ? (['recorded'] as const) : [])];
    default:
      return off;
  }
};

const isSettled = (happening: Happening, { namespace, name }: Machine): boolean =>
  happening.kind === 'switched' &&
  happening.key.namespace === namespace &&
  happening.key.machine === name &&
  happening.to === 'offline';

/** What a server's log tells; rsync's own words begin with its clock. */
const stepsOfLog = (text: string): readonly Step[] => {
  const told: readonly (readonly [Step, RegExp])[] = [
    ['listening', /"message":"The server has started"/],
    ['letIn', /"message":"A client is served"/],
    ['connected', /"from":"rsync","message":"[^"]*\bconnect from\b/],
  ];
  return told.flatMap(([step, words]) => (words.test(text) ? [step] : []));
};

const serverLog = ({ world: { server } }: Stage, { namespace }: Machine): string => {
  const pod = server
    .all(resources.pods, namespace)
    .find((each) => each.metadata.labels?.[labels.role] === roles.server);
  return pod === undefined || statusOf(pod)['phase'] !== 'Running' ? '' : server.log(pod.metadata);
};

/** Emits what is known so far whenever another step is seen. Begin to listen when the machine has been told to stop. */
export const momentsOfCopy = (stage: Stage, machine: Machine): Observable<Moments> => {
  const step$ = merge(
    stage.world.server.changes$.pipe(mergeMap((change) => stepsOfChange(stage, machine, change))),
    stage.happening$.pipe(
      filter((happening) => isSettled(happening, machine)),
      map((): Step => 'settled'),
    ),
    interval(lookMs).pipe(mergeMap(() => stepsOfLog(serverLog(stage, machine)))),
  );
  return step$.pipe(
    scan((known: Moments, step) => {
      return known.has(step) ? known : new Map([...known, [step, performance.now()]]);
    }, new Map()),
    distinctUntilChanged(),
  );
};
