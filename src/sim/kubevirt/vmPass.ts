// One run of virt-controller over one VM. The VM is a draft made from the cache: what the run changes in its status is
// written at the end, guarded by the version it was read at, and is lost when somebody wrote the VM meanwhile.
import type { Context } from './context.ts';
import { model } from './model.ts';
import type { Condition, Vm, Vmi, VmSpec, VmStatus } from './objects.ts';

export interface VmPass {
  readonly context: Context;
  /** As it was in the cache when the run began. */
  readonly original: Vm;
  vm: Vm;
  vmi: Vmi | undefined;
  /** A VMI was created, or its deletion asked for, in this run: nothing further is done to it now. */
  startExpected: boolean;
  stopExpected: boolean;
  /** Shown as condition Failure. */
  error: { readonly reason: string; readonly message: string } | undefined;
  /** The run's status write meets a conflict. */
  conflict: boolean;
  /** The spec the running guest was started with; undefined when there is no VMI. */
  startedWith: VmSpec | undefined;
  /** Look at this VM again after this time. */
  againMs: number | undefined;
}

const setStatus = (pass: VmPass, status: VmStatus): void => {
  pass.vm = { ...pass.vm, status };
};

const set = (pass: VmPass, fields: Partial<VmStatus>): void => setStatus(pass, { ...pass.vm.status, ...fields });

const unset = (pass: VmPass, ...fields: readonly (keyof VmStatus & string)[]): void => {
  if (fields.some((field) => pass.vm.status !== undefined && field in pass.vm.status)) {
    setStatus(pass, model.without(pass.vm.status ?? {}, ...fields));
  }
};

const setCondition = (pass: VmPass, condition: Omit<Condition, 'lastTransitionTime'>): void => {
  const before = pass.vm.status?.conditions;
  const conditions = model.withCondition(before, { ...condition, lastTransitionTime: pass.context.stamp() });
  if (conditions !== before) set(pass, { conditions });
};

const removeCondition = (pass: VmPass, type: string): void => {
  const before = pass.vm.status?.conditions;
  if (before === undefined) return;
  const conditions = model.withoutCondition(before, type);
  if (conditions !== before) set(pass, { conditions });
};

const hasCondition = (pass: VmPass, type: string): boolean =>
  model.hasCondition(pass.vm.status?.conditions, type, 'True');

/** Changes the draft's status. */
export const draft = { set, unset, setCondition, removeCondition, hasCondition };
