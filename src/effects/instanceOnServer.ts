// The VMI of a machine as the server has it now, not as the store saw it last: what is asked before a step that cannot
// be taken back (style §3 rule 9). A VMI may have been made from a stale copy of the VM, with no write of the VM that a
// version could tell of (contract §4.6).
import { map, type Observable } from 'rxjs';
import { isFinal } from '../core/guest.ts';
import type { VirtualMachineInstance } from '../core/objects.ts';
import { projectVirtualMachineInstance } from '../kube/project.ts';
import { resources } from '../kube/resources.ts';
import type { EffectDeps } from './deps.ts';
import { type Outcome, readOf } from './outcome.ts';

/** `done` with undefined when there is none; one that cannot be read is a `conflict`. */
export const instanceOnServer = (
  namespace: string,
  name: string,
  deps: Pick<EffectDeps, 'api'>,
): Observable<Outcome<VirtualMachineInstance | undefined>> =>
  readOf(deps.api.get(resources.virtualMachineInstances, { namespace, name })).pipe(
    map((outcome): Outcome<VirtualMachineInstance | undefined> => {
      if (outcome.kind !== 'done') return outcome;
      if (outcome.value === undefined) return { kind: 'done', value: undefined };
      const projection = projectVirtualMachineInstance(outcome.value);
      return projection.kind === 'kept'
        ? { kind: 'done', value: projection.object }
        : { kind: 'conflict', message: 'the VMI cannot be read' };
    }),
  );

/** `done` when no guest can run: there is no VMI, or one that has ended and that Manual leaves lying (contract §4.4). */
export const instanceIsOver = (
  namespace: string,
  name: string,
  deps: Pick<EffectDeps, 'api'>,
): Observable<Outcome<undefined>> =>
  instanceOnServer(namespace, name, deps).pipe(
    map((read): Outcome<undefined> => {
      if (read.kind !== 'done') return read;
      const isOver = read.value === undefined || (isFinal(read.value) && !read.value.deleting);
      return isOver ? { kind: 'done', value: undefined } : { kind: 'conflict', message: 'a VMI exists' };
    }),
  );
