// The finalizers by which KubeVirt holds its objects (contract §6, "Disk no longer open").

export const finalizers = {
  /** On a VM, and on a VMI until the VM's status has taken over how it ended. */
  vmController: 'kubevirt.io/virtualMachineControllerFinalize',
  /** On a VMI until no pod of it exists. */
  vmi: 'kubevirt.io/foregroundDeleteVirtualMachine',
  /** On a VMIM until it is finished. */
  vmim: 'kubevirt.io/migrationJobFinalize',
} as const;
