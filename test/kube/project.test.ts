// What is kept of the objects of the cluster: the fields that are decided by, as they mean, and a complaint instead of a
// guess where an object is malformed.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Malformed, Projection } from '../../src/core/projection.ts';
import type { KubeObject } from '../../src/kube/api.ts';
import { annotations, labels } from '../../src/kube/names.ts';
import {
  projectKubeVirt,
  projectPersistentVolumeClaim,
  projectPod,
  projectStorageMigration,
  projectVirtualMachine,
  projectVirtualMachineInstance,
  projectVirtualMachineInstanceMigration,
} from '../../src/kube/project.ts';

const identity = { namespace: 'shop', name: 'web-1', uid: 'u-1', resourceVersion: '7', deleting: false };

const raw = (kind: string, fields: Readonly<Record<string, unknown>>, metadata = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    namespace: 'shop',
    name: 'web-1',
    uid: 'u-1',
    resourceVersion: '7',
    generation: 3,
    creationTimestamp: '2026-11-23T00:00:00Z',
    ...metadata,
  },
  ...fields,
});

const kept = <T>(projection: Projection<T>): T => {
  if (projection.kind !== 'kept') throw new Error(JSON.stringify(projection));
  return projection.object;
};

const malformed = (projection: Projection<unknown>): Malformed => {
  if (projection.kind !== 'malformed') throw new Error(`Expected malformed, got ${projection.kind}`);
  return projection.malformed;
};

describe('projectVirtualMachine', () => {
  const volumes = [
    { name: 'root', dataVolume: { name: 'root-a' } },
    { name: 'cloud', cloudInitNoCloud: { userData: 'x' } },
  ];
  const machine = (spec = {}, status = {}): KubeObject =>
    raw('VirtualMachine', { spec: { runStrategy: 'Manual', template: { spec: { volumes } }, ...spec }, status });

  test('keeps what is decided by, and volumes to the letter', () => {
    const templates = [{ metadata: { name: 'root-a' }, spec: { source: { blank: {} } } }];
    const status = {
      created: true,
      runStrategy: 'Manual',
      stateChangeRequests: [{ action: 'Stop', uid: 'x' }, { action: 'Start' }],
      conditions: [
        { type: 'RestartRequired', status: 'True', message: 'edited' },
        { type: 'ManualRecoveryRequired', status: 'True' },
      ],
    };
    expect(
      kept(
        projectVirtualMachine(machine({ dataVolumeTemplates: templates, updateVolumesStrategy: 'Migration' }, status)),
      ),
    ).toStrictEqual({
      ...identity,
      generation: 3,
      runStrategy: 'Manual',
      actedRunStrategy: 'Manual',
      requests: ['Stop', 'Start'],
      created: true,
      updateVolumesStrategy: 'Migration',
      volumes,
      dataVolumeTemplates: templates,
      immovable: [],
      restartRequired: 'edited',
      manualRecoveryRequired: true,
      offSince: undefined,
      offSinceMs: undefined,
    });
  });

  test.each([
    [{ runStrategy: undefined, running: true }, 'Always'],
    [{ runStrategy: undefined, running: false }, 'Halted'],
    [{ runStrategy: 'Sometimes' }, 'Unknown'],
    [{ runStrategy: undefined }, 'Unknown'],
    [{ runStrategy: 'Halted', running: true }, 'Unknown'],
    [{ runStrategy: 'RerunOnFailure' }, 'RerunOnFailure'],
  ])('reads the run strategy of %j as %s', (spec, strategy) => {
    expect(kept(projectVirtualMachine(machine(spec))).runStrategy).toBe(strategy);
  });

  test('names the disks that cannot be moved live', () => {
    const devices = {
      disks: [
        { name: 'root', disk: {} },
        { name: 'share', disk: {}, shareable: true },
        { name: 'lun', lun: {} },
      ],
      filesystems: [{ name: 'files', virtiofs: {} }],
    };
    const template = { spec: { domain: { devices }, volumes } };
    expect(kept(projectVirtualMachine(machine({ template }))).immovable).toStrictEqual([
      { volume: 'share', why: 'shareable' },
      { volume: 'lun', why: 'lun' },
      { volume: 'files', why: 'virtiofs' },
    ]);
  });

  test('a condition that is not True counts for nothing', () => {
    const conditions = [{ type: 'RestartRequired', status: 'False', message: 'was edited' }];
    const found = kept(projectVirtualMachine(machine({}, { conditions })));
    expect([found.restartRequired, found.manualRecoveryRequired]).toStrictEqual([undefined, false]);
  });

  test('names object and field of what it cannot read', () => {
    const found = malformed(projectVirtualMachine(machine({ template: { spec: { volumes: ['root'] } } })));
    expect(found).toMatchObject({ ...identity, part: 'spec', field: 'spec.template.spec.volumes[0]' });
    expect(found.message).toBe(
      'VirtualMachine shop/web-1: spec.template.spec.volumes[0] is "root", expected an object',
    );
    const request = malformed(projectVirtualMachine(machine({}, { stateChangeRequests: [{ action: 'Dance' }] })));
    expect(request).toMatchObject({ part: 'status', field: 'status.stateChangeRequests[0].action' });
  });
});

describe('projectVirtualMachineInstance', () => {
  test('keeps claims, conditions and the migration', () => {
    const object = raw('VirtualMachineInstance', {
      spec: {
        volumes: [
          { name: 'root', persistentVolumeClaim: { claimName: 'root-b' } },
          { name: 'data', dataVolume: { name: 'data-b' } },
          { name: 'cloud', cloudInitNoCloud: {} },
        ],
      },
      status: {
        phase: 'Running',
        nodeName: 'node1',
        conditions: [
          { type: 'Ready', status: 'False', reason: 'PodTerminating' },
          { type: 'Paused', status: 'True' },
          { type: 'VolumesChange', status: 'True', reason: 'r', message: 'm' },
        ],
        migratedVolumes: [
          { volumeName: 'root', sourcePVCInfo: { claimName: 'root-a' }, destinationPVCInfo: { claimName: 'root-b' } },
        ],
        migrationState: { migrationUid: 'm-1', targetNodeDomainReadyTimestamp: 'T', completed: true, mode: 'PreCopy' },
      },
    });
    expect(kept(projectVirtualMachineInstance(object))).toStrictEqual({
      ...identity,
      phase: 'Running',
      nodeName: 'node1',
      ready: false,
      readyReason: 'PodTerminating',
      paused: true,
      claims: [
        { volume: 'root', claim: 'root-b' },
        { volume: 'data', claim: 'data-b' },
      ],
      migratedVolumes: [{ volume: 'root', source: 'root-a', target: 'root-b' }],
      volumesChange: { status: 'True', reason: 'r', message: 'm' },
      migrationState: {
        migrationUid: 'm-1',
        sourceNode: '',
        sourcePod: '',
        targetNode: '',
        targetPod: '',
        startTimestamp: '',
        endTimestamp: '',
        targetNodeDomainReadyTimestamp: 'T',
        completed: true,
        failed: false,
        failureReason: '',
        mode: 'PreCopy',
      },
    });
  });

  test.each([
    [undefined, 'Unset'],
    ['', 'Unset'],
    ['Scheduling', 'Scheduling'],
    ['Levitating', 'Unknown'],
  ])('reads phase %j as %s', (phase, expected) => {
    expect(kept(projectVirtualMachineInstance(raw('VirtualMachineInstance', { status: { phase } }))).phase).toBe(
      expected,
    );
  });
});

describe('projectVirtualMachineInstanceMigration', () => {
  test('keeps whose it is and how it stands', () => {
    const object = raw('VirtualMachineInstanceMigration', { spec: { vmiName: 'web-1' }, status: { phase: 'Pending' } });
    expect(kept(projectVirtualMachineInstanceMigration(object))).toStrictEqual({
      ...identity,
      vmiName: 'web-1',
      phase: 'Pending',
      createdAt: '2026-11-23T00:00:00Z',
      migrationState: undefined,
    });
  });
});

describe('projectPod', () => {
  const claims = [{ name: 'v', persistentVolumeClaim: { claimName: 'root-a' } }];
  const podOf = (label: Record<string, string>, spec = {}, status = {}, metadata = {}): KubeObject =>
    raw('Pod', { spec: { volumes: claims, nodeName: 'node1', ...spec }, status }, { labels: label, ...metadata });

  test.each([
    [{ 'kubevirt.io': 'virt-launcher' }, 'launcher'],
    [{ 'kubevirt.io': 'hotplug-disk' }, 'hotplug'],
    [{ [labels.role]: 'copy-server' }, 'copyServer'],
    [{ [labels.role]: 'copy-client' }, 'copyClient'],
    [{ app: 'other' }, 'other'],
  ])('takes a pod labelled %j for %s', (label, role) => {
    expect(kept(projectPod(podOf(label as Record<string, string>))).role).toBe(role);
  });

  test('ignores a pod that mounts no claim, unless it is ours', () => {
    const volumes = [{ name: 'v', emptyDir: {} }];
    expect(projectPod(podOf({ app: 'other' }, { volumes })).kind).toBe('ignored');
    expect(kept(projectPod(podOf({ [labels.role]: 'copy-server' }, { volumes }))).claims).toStrictEqual([]);
  });

  test('keeps a virt-launcher that mounts no claim, for all disks of its machine may be hotplugged', () => {
    expect(kept(projectPod(podOf({ 'kubevirt.io': 'virt-launcher' }, { volumes: [] }))).claims).toStrictEqual([]);
  });

  test('keeps a deleted launcher with its owner', () => {
    const ownerReferences = [{ uid: 'other' }, { uid: 'vmi-1', controller: true }];
    const metadata = { ownerReferences, deletionTimestamp: '2026-11-23T00:00:01Z' };
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    expect(kept(projectPod(podOf({ 'kubevirt.io': 'virt-launcher' }, {}, status, metadata)))).toMatchObject({
      deleting: true,
      ownerUid: 'vmi-1',
      claims: ['root-a'],
      ready: true,
      phase: 'Running',
      nodeName: 'node1',
    });
  });

  test('reads labels, notes and the end of a copy pod, by the first container of its spec', () => {
    const status = {
      phase: 'Failed',
      containerStatuses: [
        { name: 'aside', state: { terminated: { exitCode: 0, message: 'no' } } },
        { name: 'rsync', state: { terminated: { exitCode: 23, message: 'partial' } } },
      ],
    };
    const note = { [annotations.virtualMachine]: 'web-1', [annotations.volume]: 'root', [annotations.copyId]: '41' };
    const label = { [labels.role]: 'copy-client', [labels.migrationUid]: 'smig-1' };
    const spec = { containers: [{ name: 'rsync' }, { name: 'aside' }] };
    expect(kept(projectPod(podOf(label, spec, status, { annotations: note })))).toMatchObject({
      migrationUid: 'smig-1',
      vmName: 'web-1',
      volumeName: 'root',
      copyId: '41',
      ended: { exitCode: 23, message: 'partial' },
    });
  });

  test.each([
    [
      'not scheduled',
      { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' }] },
      'Unschedulable: 0/3 nodes',
    ],
    [
      'no image',
      { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'denied' } } }] },
      'ImagePullBackOff: denied',
    ],
    ['being made', { containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] }, ''],
    ['evicted', { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }, 'Evicted: low on memory'],
    ['done', { phase: 'Succeeded', reason: 'Completed' }, ''],
  ])('tells why a pod is not running: %s', (_name, status, trouble) => {
    expect(kept(projectPod(podOf({}, {}, { phase: 'Pending', ...status }))).trouble).toBe(trouble);
  });

  test('tells of a copy pod that is being deleted when it is to be gone', () => {
    const gone = { deletionTimestamp: '2026-11-23T01:00:00Z' };
    const copy = { [labels.role]: 'copy-client' };
    expect(kept(projectPod(podOf(copy, {}, {}, gone)))).toMatchObject({
      deleting: true,
      goneBy: gone.deletionTimestamp,
    });
    expect(kept(projectPod(podOf(copy)))).toMatchObject({ deleting: false, goneBy: '' });
  });
});

describe('projectPersistentVolumeClaim', () => {
  test('keeps size, mode, class and the DataVolume that owns it', () => {
    const spec = {
      accessModes: ['ReadWriteMany'],
      storageClassName: 'fast',
      volumeMode: 'Block',
      resources: { requests: { storage: '10Gi' } },
    };
    const ownerReferences = [{ kind: 'DataVolume', name: 'root', uid: 'dv-1' }];
    const object = raw(
      'PersistentVolumeClaim',
      { spec, status: { phase: 'Bound', capacity: { storage: '11G' } } },
      { ownerReferences },
    );
    expect(kept(projectPersistentVolumeClaim(object))).toStrictEqual({
      ...identity,
      phase: 'Bound',
      storageClassName: 'fast',
      volumeMode: 'Block',
      accessModes: ['ReadWriteMany'],
      dataVolume: { name: 'root', uid: 'dv-1' },
      requestedBytes: 10 * 1024 ** 3,
      capacityBytes: 11e9,
    });
  });

  test('is a file system when nothing is said, and has no capacity until it is bound', () => {
    expect(kept(projectPersistentVolumeClaim(raw('PersistentVolumeClaim', {})))).toMatchObject({
      volumeMode: 'Filesystem',
      requestedBytes: 0,
      capacityBytes: 0,
      dataVolume: undefined,
    });
  });

  test('does not take a size that it cannot read for none', () => {
    const spec = { resources: { requests: { storage: 'ten' } } };
    expect(malformed(projectPersistentVolumeClaim(raw('PersistentVolumeClaim', { spec })))).toMatchObject({
      field: 'spec.resources.requests.storage',
    });
  });
});

describe('projectKubeVirt', () => {
  test('keeps the settings without which nothing migrates', () => {
    const object = raw('KubeVirt', {
      spec: {
        configuration: { vmRolloutStrategy: 'LiveUpdate' },
        workloadUpdateStrategy: { workloadUpdateMethods: ['LiveMigrate'] },
      },
      status: { phase: 'Deployed', observedKubeVirtVersion: 'v1.9.0' },
    });
    expect(kept(projectKubeVirt(object))).toStrictEqual({
      ...identity,
      rolloutStrategy: 'LiveUpdate',
      workloadUpdateMethods: ['LiveMigrate'],
      phase: 'Deployed',
      version: 'v1.9.0',
    });
  });
});

describe('projectStorageMigration', () => {
  const spec = { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'root', target: { claimName: 'root-b' } }] }] };

  test('fills in what the CRD would have filled in', () => {
    const found = kept(
      projectStorageMigration(raw('StorageMigration', { spec }, { finalizers: ['transship.dev/cancel'] })),
    );
    expect(found).toMatchObject({
      generation: 3,
      finalizers: ['transship.dev/cancel'],
      spec: { ...spec, transfer: { server: 'Shared', verify: false }, retention: 'KeepSource', paused: false },
      status: undefined,
    });
  });

  test('names the field of a spec that does not pass, and says enough to take a deleted one apart', () => {
    const bad = { virtualMachines: [{ name: 'web-1', volumes: [{ name: 'root', target: {} }] }] };
    const metadata = { finalizers: ['transship.dev/cancel'], deletionTimestamp: '2026-11-23T00:00:00Z' };
    expect(malformed(projectStorageMigration(raw('StorageMigration', { spec: bad }, metadata)))).toMatchObject({
      ...identity,
      deleting: true,
      finalizers: ['transship.dev/cancel'],
      generation: 3,
      part: 'spec',
      field: 'spec.virtualMachines[0].volumes[0].target.claimName',
    });
  });

  test('never takes a status that does not pass for an empty one', () => {
    const status = { virtualMachines: [{ name: 'web-1', mode: 'Dancing' }] };
    expect(malformed(projectStorageMigration(raw('StorageMigration', { spec, status })))).toMatchObject({
      part: 'status',
      field: 'status.virtualMachines[0].mode',
    });
  });

  test('refuses a machine or a volume that is named twice', () => {
    const [one] = spec.virtualMachines;
    const twice = { virtualMachines: [one, one] };
    expect(malformed(projectStorageMigration(raw('StorageMigration', { spec: twice }))).field).toBe(
      'spec.virtualMachines[1].name',
    );
  });
});

describe('every projection', () => {
  const projections = Object.entries({
    projectKubeVirt,
    projectPersistentVolumeClaim,
    projectPod,
    projectStorageMigration,
    projectVirtualMachine,
    projectVirtualMachineInstance,
    projectVirtualMachineInstanceMigration,
  });

  /** Objects with the field names that are read, and anything in them. */
  const names = [
    'metadata',
    'spec',
    'status',
    'template',
    'volumes',
    'conditions',
    'name',
    'uid',
    'type',
    'domain',
    'devices',
    'disks',
    'resources',
    'requests',
    'storage',
    'ownerReferences',
    'virtualMachines',
    'migrationState',
    'containerStatuses',
    'state',
    'labels',
    'resourceVersion',
    'phase',
  ];
  const anything = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<unknown>(null, undefined, true, 0, -1, 'text', '', 'Running'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 6 }),
    ),
  })).value;

  test.each(projections)('%s makes a value of whatever comes, and never throws', (_name, project) => {
    fc.assert(
      fc.property(anything, fc.boolean(), (value, named) => {
        const fields = typeof value === 'object' && value !== null ? value : { spec: value };
        const object = named ? { ...fields, metadata: { name: 'x', uid: 'u', resourceVersion: '1' } } : value;
        expect(['kept', 'malformed', 'ignored']).toContain(project(object as KubeObject).kind);
      }),
      { numRuns: 300 },
    );
  });

  test.each(projections)('%s reports an object without a name instead of keeping it', (_name, project) => {
    const found = malformed(project({ apiVersion: 'v1', kind: 'X' } as unknown as KubeObject));
    expect(found).toMatchObject({ name: '', part: 'metadata', field: 'metadata.name' });
  });
});
