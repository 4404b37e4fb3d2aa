// virt-handler on all nodes together with the guests: boots a guest when its VMI is handed over, shuts it down when its
// launcher is stopped, carries out live migrations step by step (contract §2.4) and says whether a VMI is migratable.
// It alone knows on which disks a guest really is: those its launcher mounts.
import { asyncScheduler, Subscription } from 'rxjs';
import type { ObjectRef } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { type Disks, mountedDisks } from '../nodes/disks.ts';
import type { MountedDisk } from '../nodes/guestDisks.ts';
import type { Nodes } from '../nodes/nodes.ts';
import { attachDisks } from './attachDisks.ts';
import type { Context } from './context.ts';
import { currentPod } from './currentPod.ts';
import { launchersOf } from './launchers.ts';
import { liveMigration } from './liveMigration.ts';
import { migratability } from './migratability.ts';
import { model } from './model.ts';
import type { NodeSides } from './nodeSide.ts';
import type { Condition, Pod, Vmi, VmiStatus } from './objects.ts';
import { otherLaunchers } from './otherLaunchers.ts';
import { withPhase } from './withPhase.ts';
import { workQueue } from './workQueue.ts';

export interface VirtHandler {
  readonly subscription: Subscription;
  /** The guest powers off by itself, or crashes. Nothing happens to a VMI whose guest does not run. */
  guestEnds(vm: ObjectRef, how: 'Succeeded' | 'Failed'): void;
  /** Looks at a VM again after its node side changed. */
  wake(vm: ObjectRef): void;
}

export interface Guest {
  readonly namespace: string;
  readonly name: string;
  readonly vmiUid: string;
  /** The launcher it runs in. */
  podUid: string;
  ending: boolean;
}

const handler = 'virt-handler';

/** The VM a launcher is for, as a key of the work queue. */
const keyOf = (pod: Pod): string =>
  `${pod.metadata.namespace}/${pod.metadata.annotations?.['kubevirt.io/domain'] ?? ''}`;

const enter = (context: Context, vmi: Vmi, phase: string, more: VmiStatus = {}): void => {
  context.writeVmi({ ...vmi, status: withPhase(context, { ...vmi.status, ...more }, phase) }, handler);
};

/** What a launcher mounts, and the pods that attach disks to it. */
const disksOfPod = (context: Context, pod: Pod): readonly MountedDisk[] => [
  ...mountedDisks(pod),
  ...context
    .podsOf(pod)
    .filter(({ status }) => status?.phase === 'Running')
    .flatMap(mountedDisks),
];

const bootConditions = (context: Context, vmi: Vmi): readonly Condition[] => {
  const migratable = model.withCondition(vmi.status?.conditions, migratability(context, vmi));
  const conditions = model.withCondition(migratable, { type: 'StorageLiveMigratable', status: 'True' });
  return vmi.spec.startStrategy === 'Paused'
    ? model.withCondition(conditions, { type: 'Paused', status: 'True', reason: 'PausedByUser' })
    : conditions;
};

/** virt-controller gives up the VMIs of a node that is lost for too long. */
const failAllOn = (context: Context, node: string): void => {
  for (const object of context.server.all(resources.virtualMachineInstances)) {
    const vmi = model.as<Vmi>(object);
    if (vmi.status?.nodeName === node && !model.isFinal(vmi)) {
      context.writeVmi({ ...vmi, status: { ...vmi.status, phase: 'Failed' } });
    }
  }
};

/** Runs virt-handler until unsubscribed. */
export const virtHandler = (context: Context, nodes: Nodes, disks: Disks, sides: NodeSides): VirtHandler => {
  const { server, options } = context;
  const guests = new Map<string, Guest>();
  const all = new Subscription();
  const later = (ms: number, act: () => void): void => {
    all.add(asyncScheduler.schedule(act, ms));
  };

  const vmiOf = (guest: Guest): Vmi | undefined => {
    const vmi = context.vmi(guest.namespace, guest.name);
    return vmi?.metadata.uid === guest.vmiUid ? vmi : undefined;
  };
  const guestIn = (podUid: string | undefined): Guest | undefined =>
    [...guests.values()].find((guest) => guest.podUid === podUid);
  const isUnseen = (podUid: string): boolean => nodes.isLost(launchers.pod(podUid)?.spec.nodeName ?? '');

  /** The guest is off: its launcher ends a little later. */
  const guestOff = (guest: Guest, phase: 'Succeeded' | 'Failed'): void => {
    if (guests.get(guest.vmiUid) !== guest) return;
    disks.halt(guest.vmiUid);
    guests.delete(guest.vmiUid);
    const vmi = vmiOf(guest);
    if (vmi !== undefined && !model.isFinal(vmi) && !isUnseen(guest.podUid)) enter(context, vmi, phase);
    later(options.handlerMs, () => launchers.end(guest.podUid, phase === 'Succeeded' ? 0 : 1));
  };

  const shutDown = (guest: Guest): void => {
    if (guest.ending) return;
    guest.ending = true;
    const { shutdownMs } = sides.of(`${guest.namespace}/${guest.name}`);
    later(shutdownMs, () => guestOff(guest, 'Succeeded'));
  };

  const launchers = launchersOf({
    started: (pod) => handling.wake(keyOf(pod)),
    stopAsked: (pod) => {
      const guest = guestIn(pod.metadata.uid);
      if (guest !== undefined) shutDown(guest);
      else later(options.abortMs, () => guestIn(pod.metadata.uid) === undefined && launchers.end(pod.metadata.uid, 0));
    },
    gone: (pod) => {
      const guest = guestIn(pod.metadata.uid);
      if (guest === undefined) {
        const migrating = guests.get(model.controllerUid(pod) ?? '');
        // A target that goes away before the switch-over takes its half of the copy with it.
        if (migrating !== undefined && pod.metadata.labels?.['kubevirt.io/migrationJobUID'] !== undefined) {
          disks.endMirror(migrating.vmiUid);
        }
        return;
      }
      disks.halt(guest.vmiUid);
      guests.delete(guest.vmiUid);
      const vmi = vmiOf(guest);
      if (vmi !== undefined && !model.isFinal(vmi) && !nodes.isLost(pod.spec.nodeName ?? ''))
        enter(context, vmi, 'Failed');
    },
  });
  nodes.addRunner(launchers.runner);

  const boot = (vmi: Vmi): void => {
    const pod = currentPod(context, vmi);
    if (pod === undefined || !launchers.isAlive(pod.metadata.uid) || launchers.isStopping(pod.metadata.uid)) return;
    if (guests.has(vmi.metadata.uid) || isUnseen(pod.metadata.uid)) return;
    const { namespace, name, uid } = vmi.metadata;
    const guest: Guest = { namespace, name, vmiUid: uid, podUid: pod.metadata.uid, ending: false };
    guests.set(uid, guest);
    disks.boot({ namespace, name }, uid, disksOfPod(context, pod));
    if (vmi.spec.startStrategy === 'Paused') disks.suspend(uid, true);
    enter(context, vmi, 'Running', { conditions: bootConditions(context, vmi) });
  };

  const migration = liveMigration({
    context,
    disks,
    sides,
    guestOf: (vmi) => guests.get(vmi.metadata.uid),
    isAlive: (podUid) => launchers.isAlive(podUid) && !launchers.isStopping(podUid),
    endLauncher: (podUid, exitCode) => later(options.handlerMs, () => launchers.end(podUid, exitCode)),
    disksOfPod: (pod) => disksOfPod(context, pod),
    wakeAfter: (vmi, ms) => handling.wakeAfter(`${vmi.metadata.namespace}/${vmi.metadata.name}`, ms),
  });

  const endOthers = otherLaunchers({
    context,
    isAlive: (podUid) => launchers.isAlive(podUid) && !isUnseen(podUid),
    endAfter: (ms, podUid) => later(ms, () => launchers.end(podUid, 1)),
  });

  const handle = (key: string): void => {
    const [namespace = '', name = ''] = key.split('/');
    const vmi = context.vmi(namespace, name);
    if (vmi === undefined) return;
    const guest = guests.get(vmi.metadata.uid);
    if (guest !== undefined && isUnseen(guest.podUid)) return;
    if (model.isFinal(vmi)) endOthers(vmi, guest?.podUid);
    if (guest === undefined) {
      if (vmi.status?.phase === 'Scheduled' && vmi.metadata.deletionTimestamp === undefined) boot(vmi);
      else if (vmi.status?.phase === 'Scheduled' && currentPod(context, vmi) !== undefined) waitForEnd(vmi);
    } else if (model.isRunning(vmi)) {
      disks.suspend(guest.vmiUid, model.hasCondition(vmi.status?.conditions, 'Paused', 'True'));
      const made = migratability(context, vmi);
      const conditions = model.withCondition(vmi.status?.conditions, made);
      if (vmi.metadata.deletionTimestamp === undefined && conditions !== vmi.status?.conditions) {
        context.writeVmi({ ...vmi, status: { ...vmi.status, conditions } }, handler);
        return;
      }
    }
    migration.step(vmi);
  };

  /** A VMI that is deleted before its guest ran has failed once its launcher is down. */
  const waitForEnd = (vmi: Vmi): void => {
    const pod = currentPod(context, vmi);
    if (pod !== undefined && !launchers.isAlive(pod.metadata.uid)) enter(context, vmi, 'Failed');
  };

  const handling = workQueue({ reaction: () => options.handlerMs, reconcile: handle });

  all.add(
    nodes.lost$.subscribe((node) =>
      later(options.nodeTimeoutMs, () => {
        if (nodes.isLost(node)) failAllOn(context, node);
      }),
    ),
  );

  all.add(
    nodes.recovered$.subscribe(() => {
      for (const { metadata } of server.all(resources.virtualMachineInstances)) {
        handling.wake(`${metadata.namespace}/${metadata.name}`);
      }
    }),
  );

  all.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      const namespace = object.metadata.namespace ?? '';
      if (resource.plural === 'virtualmachineinstances' && type !== 'deleted') {
        handling.wake(`${namespace}/${object.metadata.name}`);
      } else if (resource.plural === 'pods' && object.metadata.labels?.['kubevirt.io'] === 'hotplug-disk') {
        const pod = model.as<Pod>(object);
        const guest = guestIn(model.controllerUid(pod));
        if (guest !== undefined) attachDisks(disks, guest.vmiUid, pod);
      } else if (resource.plural === 'pods' && object.metadata.labels?.['kubevirt.io'] === 'virt-launcher') {
        if (model.isPodDown(model.as<Pod>(object))) handling.wake(keyOf(model.as<Pod>(object)));
      }
    }),
  );
  all.add(() => handling.unsubscribe());

  return {
    subscription: all,
    wake: ({ namespace, name }) => handling.wake(`${namespace ?? ''}/${name}`),
    guestEnds: ({ namespace, name }, how) => {
      const guest = [...guests.values()].find((one) => one.namespace === namespace && one.name === name);
      if (guest !== undefined) guestOff(guest, how);
    },
  };
};
