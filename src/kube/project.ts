// From what the API server sends to what is kept, one projection per kind. They stand between the wire and the store:
// what they drop costs no memory, and what they cannot read becomes a value that says so, never an exception.
export { projectKubeVirt } from './project/kubeVirt.ts';
export { projectPersistentVolumeClaim } from './project/persistentVolumeClaim.ts';
export { projectPod } from './project/pod.ts';
export { projectStorageMigration } from './project/storageMigration.ts';
export { projectVirtualMachine } from './project/virtualMachine.ts';
export { projectVirtualMachineInstance } from './project/virtualMachineInstance.ts';
export { projectVirtualMachineInstanceMigration } from './project/virtualMachineInstanceMigration.ts';
