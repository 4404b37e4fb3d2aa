// What is true in a recorded cluster of one machine at this moment, whether the daemon was told yet or not.
import type { VirtualMachine, VirtualMachineInstance, VirtualMachineInstanceMigration } from '../../core/objects.ts';
import type { Projection } from '../../core/projection.ts';
import {
  projectPersistentVolumeClaim,
  projectVirtualMachine,
  projectVirtualMachineInstance,
  projectVirtualMachineInstanceMigration,
} from '../../kube/project.ts';
import { offSince } from '../../streams/offSince.ts';
import type { RecordedCluster } from './cluster.ts';
import type { TapeMachine } from './tape.ts';

export interface Truth {
  readonly vm: VirtualMachine | undefined;
  readonly vmi: VirtualMachineInstance | undefined;
  readonly attempts: readonly VirtualMachineInstanceMigration[];
  /** uid of a claim by its name; empty if there is none. */
  readonly claimUid: (name: string) => string;
}

const only = <T>(projected: Projection<T>): readonly T[] => (projected.kind === 'kept' ? [projected.object] : []);

/** Reads everything about `machine`. The VM has its `offSince`, as one who saw every version would have it. */
export const truthOf = (cluster: RecordedCluster, { namespace, name }: TapeMachine): Truth => {
  const isMine = (object: { readonly namespace: string; readonly name: string }): boolean =>
    object.namespace === namespace && object.name === name;
  const present = cluster.objects('virtualmachines').find(({ metadata }) => metadata.name === name);
  let vm: VirtualMachine | undefined;
  for (const { atMs, object } of cluster.history('virtualmachines')) {
    if (object.metadata.uid !== present?.metadata.uid) continue;
    for (const version of only(projectVirtualMachine(object)).filter(isMine)) {
      vm = offSince.next(vm, version, { contiguous: true, nowMs: atMs });
    }
  }
  const claims = cluster.objects('persistentvolumeclaims').flatMap((raw) => only(projectPersistentVolumeClaim(raw)));
  return {
    vm,
    vmi: cluster
      .objects('virtualmachineinstances')
      .flatMap((raw) => only(projectVirtualMachineInstance(raw)))
      .find(isMine),
    attempts: cluster
      .objects('virtualmachineinstancemigrations')
      .flatMap((raw) => only(projectVirtualMachineInstanceMigration(raw)))
      .filter((vmim) => vmim.namespace === namespace && vmim.vmiName === name),
    claimUid: (claim) => claims.find((each) => each.namespace === namespace && each.name === claim)?.uid ?? '',
  };
};
