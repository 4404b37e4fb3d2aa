// The StorageMigration resource: one schema that is the TypeScript type, the check of what the API server sends and,
// through kube/crd.ts, the CRD manifest. `spec` is what people write; `status` is what they read and, in `record`,
// what must survive a restart of the daemon: it is written before the act it is about (law 8).
import { z } from 'zod';

/** A Kubernetes object name (RFC 1123 subdomain). */
const objectName = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);

/** JSON kept as it was found, so that a revert restores it to the letter. */
const verbatim = z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true });

/** The password of a disk stands in a Secret under `password.` and this name, and a key has at most 253 characters. */
const longestTarget = 244;

const target = z.object({
  claimName: objectName
    .max(longestTarget)
    .describe('Claim the disk is moved to. Created with the size of the source if it does not exist.'),
  storageClassName: objectName
    .optional()
    .describe('Storage class of a claim that is created; the cluster default if absent.'),
  volumeMode: z
    .enum(['Filesystem', 'Block'])
    .optional()
    .describe('Volume mode of a claim that is created; that of the source if absent.'),
  accessModes: z
    .array(z.enum(['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod']))
    .min(1)
    .max(3)
    .optional()
    .describe('Access modes of a claim that is created; those of the source if absent.'),
});

const volume = z.object({
  name: z.string().min(1).max(63).describe("The volume's name in spec.template.spec.volumes of the virtual machine."),
  target,
});

const virtualMachine = z.object({
  name: objectName.describe('A virtual machine in the namespace of this object.'),
  volumes: z
    .array(volume)
    .min(1)
    .max(64)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .describe('The disks to move. Of a running machine every ReadWriteOnce disk must be listed.'),
});

const transfer = z.object({
  server: z
    .enum(['Shared', 'PerVirtualMachine'])
    .default('Shared')
    .describe(
      'Shared: one copy server for all stopped machines of this object. PerVirtualMachine: none waits for another.',
    ),
  bandwidthLimit: z
    .string()
    .regex(/^[1-9][0-9]*(Ki|Mi|Gi|k|M|G)?$/)
    .optional()
    .describe('Most bytes per second that one disk copy may use, for example 200Mi.'),
  verify: z.boolean().default(false).describe('Compare source and target after an offline copy.'),
});

const specification = z.object({
  virtualMachines: z
    .array(virtualMachine)
    .min(1)
    .max(128)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  transfer: transfer.default({ server: 'Shared', verify: false }),
  retention: z
    .enum(['KeepSource', 'DeleteSource'])
    .default('KeepSource')
    .describe('DeleteSource deletes a source claim once its machine was seen running on the target.'),
  paused: z
    .boolean()
    .default(false)
    .describe('Start nothing new; what is under way goes on, and what safety demands is still done.'),
});

/** One disk as it was found when the machine was accepted. */
const recordedDisk = z.object({
  volume: z.string(),
  source: z.string(),
  sourceUid: z.string().describe('uid of the source claim, so that only this very claim is ever deleted.'),
  target: z.string(),
  entry: verbatim.describe('The volume entry of the machine as it was found.'),
  template: verbatim.optional().describe('The dataVolumeTemplates entry behind it, as it was found.'),
});

const record = z.object({
  vmUid: z.string().describe('The machine this is about; another one under the same name is not touched.'),
  disks: z.array(recordedDisk),
  live: z
    .object({
      vmiUid: z.string(),
      vmGeneration: z
        .number()
        .int()
        .describe('metadata.generation of the machine: while it stands, the patch has not landed.'),
      knownMigrations: z
        .array(z.string())
        .describe('uids of the VMIMs that were there before the attempt: they say nothing about it.'),
      attempt: z.number().int().describe('How often a live migration of this VMI was begun, 1 for the first.'),
      startedAt: z.string(),
      endedAt: z
        .string()
        .optional()
        .describe(
          'When its VMI was seen to have ended without a switch-over: from then on the sources are known to be whole.',
        ),
    })
    .optional()
    .describe('A live migration that was begun, written before the volumes were patched.'),
  switchedOver: z
    .object({ vmiUid: z.string(), migrationUid: z.string(), at: z.string() })
    .optional()
    .describe('The guest runs on the target since then: the point of no return.'),
  offline: z
    .object({
      id: z
        .string()
        .describe('Names this copy: the resourceVersion at which the machine was seen off before it began.'),
      offSince: z.string().describe('First resourceVersion of the unbroken time in which the machine was off.'),
      startedAt: z.string(),
      claims: z
        .array(z.object({ name: z.string(), uid: z.string() }))
        .describe('The claims that are copied from and to: a claim made again under the same name is another one.'),
      copied: z.array(z.string()).describe('Volumes whose copy was proved complete.'),
      failures: z
        .array(
          z.object({
            volume: z.string(),
            count: z.number().int(),
            at: z.string(),
            podUid: z.string().describe('The pod that failed last, so that it is counted once.'),
            reason: z.string().describe('What failed, for example TargetTooSmall.'),
            message: z.string(),
            generation: z
              .number()
              .int()
              .optional()
              .describe('metadata.generation of this object when it failed: with another it is tried again.'),
          }),
        )
        .describe('Copies that failed, by volume.'),
    })
    .optional()
    .describe('An offline copy that was begun, written before its pods were created.'),
  copiesBegun: z
    .number()
    .int()
    .optional()
    .describe('How many offline copies were begun. What the first finds on the targets is of no use.'),
  cutOver: z
    .object({ resourceVersion: z.string(), at: z.string() })
    .optional()
    .describe('The version of the machine that the cut-over patch is guarded with, written before the patch.'),
  gaveUp: z
    .object({ generation: z.number().int(), reason: z.string(), message: z.string() })
    .optional()
    .describe('Why this machine is not tried again until spec changes (metadata.generation moves on).'),
  completed: z.object({ by: z.enum(['Live', 'Offline']), at: z.string() }).optional(),
  seenOnTarget: z.boolean().describe('The machine was seen running on the target after it was moved.'),
  sourcesDeleted: z.boolean().describe('The source claims were deleted as spec.retention asks.'),
});

/** What became of one machine's modes; `Hold` waits, nothing is started in it. */
const modeName = z.enum(['Live', 'Offline', 'Hold', 'Done']);

const diskStatus = z.object({
  name: z.string(),
  source: z.string(),
  target: z.string(),
  phase: z.enum(['Waiting', 'Copying', 'Copied', 'Moved', 'Failed']),
  copy: z
    .object({
      attempt: z.number().int().describe('1 for the first; each begins at 0 percent.'),
      percent: z.number().int(),
      bytes: z.number().int().describe('Position in the source.'),
      total: z.number().int().describe('Bytes of the source.'),
      bytesPerSecond: z.number().int(),
      secondsLeft: z.number().int().optional(),
    })
    .optional()
    .describe('How far the offline copy is that runs now, as of a few seconds ago.'),
  message: z.string().optional().describe('Why the last copy of this disk failed.'),
});

const virtualMachineStatus = z.object({
  name: z.string(),
  mode: modeName,
  phase: z.string().describe('Where it stands, for people to read. Nothing is steered by it.'),
  reason: z.string(),
  message: z.string(),
  waitingFor: z.string().describe('The fact that must change before the next step; empty when nothing is waited for.'),
  volumes: z.array(diskStatus).meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }),
  record: record.optional(),
});

const condition = z.object({
  type: z.string(),
  status: z.enum(['True', 'False', 'Unknown']),
  observedGeneration: z.number().int().optional(),
  lastTransitionTime: z.string(),
  reason: z.string(),
  message: z.string(),
});

const status = z.object({
  observedGeneration: z.number().int().optional(),
  conditions: z
    .array(condition)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .optional(),
  summary: z.string().optional().describe('How many machines are done, for example 1/2.'),
  mode: z.string().optional().describe('The modes of the machines that are not done, for example Live,Offline.'),
  progress: z.string().optional().describe('How many disks are moved, for example 3/4.'),
  virtualMachines: z
    .array(virtualMachineStatus)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .optional(),
});

/** `spec` and `status` of a StorageMigration; metadata is Kubernetes' own. */
export const storageMigrationSchema = z.object({ spec: specification, status: status.optional() });

export type StorageMigrationSpec = z.infer<typeof specification>;
export type StorageMigrationStatus = z.infer<typeof status>;
export type VirtualMachineSpec = z.infer<typeof virtualMachine>;
export type VirtualMachineStatus = z.infer<typeof virtualMachineStatus>;
export type DiskStatus = z.infer<typeof diskStatus>;
export type MigrationRecord = z.infer<typeof record>;
export type RecordedDisk = z.infer<typeof recordedDisk>;
export type Condition = z.infer<typeof condition>;
export type ModeName = z.infer<typeof modeName>;
