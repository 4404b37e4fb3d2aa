// How the little world moves by itself: KubeVirt as contract §2 to §6 describes it, the kubelet, rsync, and the people
// who start and stop machines. One call is one small step of everything; nothing in here knows of the daemon.
import { isFinal } from '../../src/core/guest.ts';
import type { MigrationState, Pod, VirtualMachine, VirtualMachineInstance } from '../../src/core/objects.ts';
import { claimOf, volumeName } from '../../src/core/volumes.ts';
import { at, launcher, state, vmi, vmim, wholeEnd } from './builders.ts';
import { podsOf, say, type World, writePod, writeVm, writeVmi } from './world.ts';

const hasEnded = (pod: Pod): boolean => pod.phase === 'Succeeded' || pod.phase === 'Failed';

const claimsOf = (machine: VirtualMachine) =>
  machine.volumes.map((entry) => ({ volume: volumeName(entry), claim: claimOf(entry) }));

/** The launcher the guest runs in. */
const activeLauncher = (world: World, instance: VirtualMachineInstance): Pod | undefined => {
  const pods = podsOf(world, instance.uid).filter((pod) => pod.role === 'launcher' && !hasEnded(pod));
  const { migrationState } = instance;
  const target = pods.find((pod) => pod.name === migrationState?.targetPod);
  if (migrationState?.targetNodeDomainReadyTimestamp && target !== undefined) return target;
  return pods.find((pod) => pod.nodeName === instance.nodeName);
};

/** The guest writes; what it finds under it must be all that it has ever written. */
const guestWrites = (world: World, name: string, instance: VirtualMachineInstance): void => {
  const active = activeLauncher(world, instance);
  if (active === undefined) return;
  const before = world.newest.get(name) ?? 0;
  const newest = before + 1;
  for (const claim of active.claims) {
    if (world.gone.has(claim)) world.faults.add('a claim under a running guest was deleted');
    if ((world.content.get(claim) ?? 0) !== before) world.faults.add('2: the guest runs on less than it has written');
    world.content.set(claim, newest);
  }
  world.newest.set(name, newest);
};

const endInstance = (world: World, name: string, phase: 'Succeeded' | 'Failed'): void => {
  writeVmi(world, name, { phase, ready: false, readyReason: 'GuestNotRunning' });
  const uid = world.vmis.get(name)?.uid ?? '';
  for (const pod of podsOf(world, uid)) writePod(world, pod.name, { phase });
  for (const attempt of world.attempts.values()) {
    if (attempt.vmiName !== name || attempt.phase === 'Succeeded') continue;
    world.attempts.set(attempt.uid, { ...attempt, phase: 'Failed' });
  }
};

const removeInstance = (world: World, name: string): void => {
  const instance = world.vmis.get(name);
  if (instance === undefined) return;
  world.ended.set(name, { object: instance, gap: false });
  world.vmis.delete(name);
  for (const pod of podsOf(world, instance.uid)) world.pods.delete(pod.name);
  for (const attempt of [...world.attempts.values()]) if (attempt.vmiName === name) world.attempts.delete(attempt.uid);
  writeVm(world, name, { created: false });
};

const makeInstance = (world: World, name: string, machine: VirtualMachine): void => {
  world.serial += 1;
  const uid = `vmi-${name}-${world.serial}`;
  world.vmis.set(name, vmi({ name, uid, phase: 'Pending', ready: false, nodeName: '', claims: claimsOf(machine) }));
  writeVm(world, name, { created: true, requests: [], actedRunStrategy: machine.runStrategy });
  say(world, `${name}: KubeVirt starts it`);
};

/** The VM without a VMI. */
const moveWithout = (world: World, name: string, machine: VirtualMachine): boolean => {
  if (machine.deleting) return false;
  const { runStrategy, requests } = machine;
  if (runStrategy === 'Always' || runStrategy === 'Once' || requests.includes('Start')) {
    makeInstance(world, name, machine);
    return true;
  }
  if (!machine.created && machine.actedRunStrategy === runStrategy && requests.length === 0) return false;
  writeVm(world, name, { created: false, actedRunStrategy: runStrategy, requests: [] });
  return true;
};

/** The VMI has ended or is to end. */
const moveEnding = (world: World, name: string, machine: VirtualMachine, instance: VirtualMachineInstance): boolean => {
  if (!isFinal(instance)) {
    endInstance(world, name, 'Succeeded');
    return true;
  }
  if (instance.deleting) {
    removeInstance(world, name);
    return true;
  }
  const lingers = machine.runStrategy === 'Once' || (machine.runStrategy === 'Manual' && machine.requests.length === 0);
  if (lingers) return false;
  if (machine.runStrategy === 'RerunOnFailure' && instance.phase === 'Failed' && machine.requests.length === 0) {
    writeVm(world, name, { requests: ['Start'] });
  }
  writeVmi(world, name, { deleting: true });
  return true;
};

const moveStarting = (world: World, name: string, instance: VirtualMachineInstance): boolean => {
  if (activeLauncher(world, instance) === undefined) {
    const claims = instance.claims.map(({ claim }) => claim);
    const made = launcher('source', { machine: name, uid: `${instance.uid}-launcher`, claims, ownerUid: instance.uid });
    world.pods.set(made.name, made);
    writeVmi(world, name, { phase: 'Scheduling', nodeName: 'n1', migrationState: undefined });
  } else {
    writeVmi(world, name, { phase: 'Running', ready: true, readyReason: '' });
  }
  return true;
};

/** KubeVirt takes note of changed volumes of a running machine: a migration begins, or is taken back. */
const moveVolumes = (
  world: World,
  name: string,
  machine: VirtualMachine,
  instance: VirtualMachineInstance,
): boolean => {
  const wanted = claimsOf(machine);
  const mounted = activeLauncher(world, instance)?.claims ?? [];
  // A VMI can name B while its launcher mounts A: then KubeVirt copies by itself (contract §4.6).
  const standsOn = (volume: string): string => {
    const index = instance.claims.findIndex((has) => has.volume === volume);
    const named = instance.claims[index]?.claim ?? '';
    return instance.migratedVolumes.length > 0 || mounted.includes(named) ? named : (mounted[index] ?? named);
  };
  const differ = wanted.filter(({ volume, claim }) => standsOn(volume) !== claim);
  if (differ.length === 0 || machine.updateVolumesStrategy !== 'Migration' || machine.restartRequired !== undefined) {
    return false;
  }
  if (instance.migratedVolumes.length > 0) {
    const back = instance.migratedVolumes.every(({ volume, source }) =>
      wanted.some((entry) => entry.volume === volume && entry.claim === source),
    );
    if (!back) return false;
    writeVmi(world, name, { migratedVolumes: [], claims: wanted });
    return true;
  }
  const migratedVolumes = differ.map(({ volume, claim }) => ({
    volume,
    source: standsOn(volume),
    target: claim,
  }));
  writeVmi(world, name, { migratedVolumes, claims: wanted });
  return true;
};

/** The migration of a running VMI takes one step. */
const moveMigration = (world: World, name: string, instance: VirtualMachineInstance): boolean => {
  const attempt = [...world.attempts.values()].find(
    (each) => each.vmiName === name && each.phase !== 'Succeeded' && each.phase !== 'Failed',
  );
  const copies = instance.migratedVolumes.length > 0;
  if (attempt === undefined) {
    if (!copies) return false;
    world.serial += 1;
    const uid = `vmim-${world.serial}`;
    world.attempts.set(uid, vmim({ name: uid, uid, vmiName: name, phase: 'Pending' }));
    return true;
  }
  const next = (phase: string, change: Partial<MigrationState> = {}): boolean => {
    world.attempts.set(attempt.uid, { ...attempt, phase });
    const before = world.vmis.get(name)?.migrationState;
    const known = before?.migrationUid === attempt.uid ? before : undefined;
    if (known !== undefined || Object.keys(change).length > 0) {
      writeVmi(world, name, { migrationState: { ...(known ?? state({ migrationUid: attempt.uid })), ...change } });
    }
    return true;
  };
  const target = `${attempt.uid}-launcher`;
  const current = instance.migrationState?.migrationUid === attempt.uid ? instance.migrationState : undefined;
  const isOver = current?.targetNodeDomainReadyTimestamp !== undefined && current.targetNodeDomainReadyTimestamp !== '';
  if (!copies && !isOver) {
    writePod(world, target, { phase: 'Failed' });
    return next('Failed', current === undefined ? {} : { endTimestamp: at(1), completed: true, failed: true });
  }
  if (attempt.phase === 'Pending') {
    const claims = instance.claims.map(({ claim }) => claim);
    const targetNode = instance.nodeName === 'n1' ? 'n2' : 'n1';
    world.pods.set(
      target,
      launcher('target', { name: target, uid: target, nodeName: targetNode, claims, ownerUid: instance.uid }),
    );
    return next('Scheduling');
  }
  const targetNode = world.pods.get(target)?.nodeName ?? '';
  const source = podsOf(world, instance.uid).find(
    (pod) => pod.role === 'launcher' && pod.nodeName === instance.nodeName && !hasEnded(pod),
  );
  if (attempt.phase === 'Scheduling')
    return next('Running', { targetPod: target, targetNode, sourcePod: source?.name ?? '' });
  if (!isOver) {
    for (const { source: from, target: to } of instance.migratedVolumes)
      world.content.set(to, world.content.get(from) ?? 0);
    say(world, `${name}: the guest switches over`);
    return next('Running', { targetNodeDomainReadyTimestamp: at(2) });
  }
  if (source !== undefined) writePod(world, source.name, { phase: 'Succeeded' });
  writeVmi(world, name, { nodeName: targetNode, migratedVolumes: [] });
  return next('Succeeded', { endTimestamp: at(3), completed: true });
};

/** What nothing can come of any more is ended: VMIMs without a VMI that runs, a migration without its VMIM. */
const moveRemains = (world: World, name: string, instance: VirtualMachineInstance | undefined): boolean => {
  const unfinished = [...world.attempts.values()].filter(
    (attempt) => attempt.vmiName === name && attempt.phase !== 'Succeeded' && attempt.phase !== 'Failed',
  );
  if (instance === undefined || isFinal(instance)) {
    for (const attempt of unfinished) {
      if (instance === undefined) world.attempts.delete(attempt.uid);
      else world.attempts.set(attempt.uid, { ...attempt, phase: 'Failed' });
    }
    return unfinished.length > 0;
  }
  const { migrationState } = instance;
  const isOrphaned = migrationState?.endTimestamp === '' && unfinished.length === 0;
  if (isOrphaned)
    writeVmi(world, name, { migrationState: { ...migrationState, endTimestamp: at(9), completed: true } });
  return isOrphaned;
};

/** One small step of KubeVirt for one machine. */
const moveMachine = (world: World, name: string): boolean => {
  const machine = world.vms.get(name);
  if (machine === undefined) return false;
  if (moveRemains(world, name, world.vmis.get(name))) return true;
  const instance = world.vmis.get(name);
  if (instance === undefined) return moveWithout(world, name, machine);
  if (isFinal(instance) || instance.deleting) return moveEnding(world, name, machine, instance);
  if (machine.runStrategy === 'Halted' || machine.deleting || machine.requests[0] === 'Stop') {
    if (machine.requests[0] === 'Stop') writeVm(world, name, { requests: machine.requests.slice(1) });
    writeVmi(world, name, { deleting: true });
    return true;
  }
  if (instance.phase !== 'Running') return moveStarting(world, name, instance);
  if (activeLauncher(world, instance) === undefined || instance.readyReason === 'GuestNotRunning') {
    endInstance(world, name, 'Failed');
    return true;
  }
  guestWrites(world, name, instance);
  const volumes = moveVolumes(world, name, machine, instance);
  return moveMigration(world, name, world.vmis.get(name) ?? instance) || volumes;
};

/** One small step of kubelet and rsync for one copy pod. */
const moveCopyPod = (world: World, pod: Pod): boolean => {
  if (pod.deleting) {
    world.pods.delete(pod.name);
    return true;
  }
  if (hasEnded(pod)) return false;
  if (pod.phase === 'Pending') {
    writePod(world, pod.name, { phase: 'Running' });
    return true;
  }
  if (pod.role === 'copyServer') return false;
  const disk = world.migration.status?.virtualMachines
    ?.find((entry) => entry.name === pod.vmName)
    ?.record?.disks.find((each) => each.volume === pod.volumeName);
  const serves = [...world.pods.values()].some(
    (each) => each.role === 'copyServer' && each.phase === 'Running' && each.claims.includes(disk?.target ?? ''),
  );
  const ended = serves ? wholeEnd : { exitCode: 10, message: '' };
  if (serves && disk !== undefined) world.content.set(disk.target, world.content.get(disk.source) ?? 0);
  writePod(world, pod.name, { phase: serves ? 'Succeeded' : 'Failed', ended });
  return true;
};

/** No two things may write one claim: launchers and servers; clients read what no launcher may write. */
const checkExclusion = (world: World): void => {
  const active = [...world.pods.values()].filter((pod) => !hasEnded(pod) && pod.migrationUid === world.migration.uid);
  for (const pod of active) {
    if (pod.role !== 'copyServer') continue;
    const twins = active.filter(
      (other) => other.role === 'copyServer' && other.claims.some((claim) => pod.claims.includes(claim)),
    );
    if (twins.length > 1) world.faults.add('1: two servers write one target');
  }
};

/** Everything moves one small step; false when all is quiet. Guests that run go on writing without end. */
export const move = (world: World): boolean => {
  let moved = false;
  for (const name of world.vms.keys()) moved = moveMachine(world, name) || moved;
  for (const pod of [...world.pods.values()]) {
    if (pod.migrationUid === world.migration.uid) moved = moveCopyPod(world, pod) || moved;
  }
  checkExclusion(world);
  return moved;
};

/** What people and guests do. */
export const act = {
  start: (world: World, name: string): void => {
    const machine = world.vms.get(name);
    if (machine === undefined) return;
    say(world, `${name}: started by its owner`);
    if (machine.runStrategy === 'Halted') writeVm(world, name, { runStrategy: 'Always' });
    else if (machine.runStrategy !== 'Always') writeVm(world, name, { requests: ['Start'] });
  },
  stop: (world: World, name: string): void => {
    const machine = world.vms.get(name);
    if (machine === undefined) return;
    say(world, `${name}: stopped by its owner`);
    if (machine.runStrategy === 'Always') writeVm(world, name, { runStrategy: 'Halted' });
    else if (world.vmis.has(name)) writeVm(world, name, { requests: ['Stop'] });
  },
  shutDown: (world: World, name: string): void => {
    const instance = world.vmis.get(name);
    if (instance === undefined || isFinal(instance)) return;
    say(world, `${name}: the guest shuts down`);
    endInstance(world, name, 'Succeeded');
  },
  crash: (world: World, name: string): void => {
    const instance = world.vmis.get(name);
    if (instance === undefined || isFinal(instance)) return;
    say(world, `${name}: the guest crashes`);
    endInstance(world, name, 'Failed');
  },
  deleteInstance: (world: World, name: string): void => {
    if (!world.vmis.has(name)) return;
    say(world, `${name}: its VMI is deleted`);
    writeVmi(world, name, { deleting: true });
  },
} as const;
