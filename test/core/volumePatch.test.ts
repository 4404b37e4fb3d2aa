// The patch that moves a VM between its claims: for every shape of volumes there and back, and guarded against changes.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Verbatim, VirtualMachine } from '../../src/core/objects.ts';
import type { MigrationRecord } from '../../src/core/storageMigration.ts';
import { type PatchOperation, patchRepair, patchToSource, patchToTarget } from '../../src/core/volumePatch.ts';
import { jsonPatch } from '../../src/sim/apiServer/jsonPatch.ts';
import { entry, record, vm } from './builders.ts';

const template = (name: string): Verbatim => ({ metadata: { name, annotations: { a: '1' } }, spec: { storage: {} } });

/** The VM as the server holds it. */
const wire = (machine: VirtualMachine, more: Verbatim = {}): Verbatim => ({
  metadata: { uid: machine.uid, resourceVersion: machine.resourceVersion },
  spec: {
    ...(machine.updateVolumesStrategy === '' ? {} : { updateVolumesStrategy: machine.updateVolumesStrategy }),
    ...(machine.dataVolumeTemplates.length === 0 ? {} : { dataVolumeTemplates: machine.dataVolumeTemplates }),
    template: { spec: { volumes: machine.volumes, domain: { cpu: 2 } } },
  },
  ...more,
});

interface Spec {
  readonly updateVolumesStrategy?: string;
  readonly dataVolumeTemplates?: readonly Verbatim[];
  readonly template: { readonly spec: { readonly volumes: readonly Verbatim[] } };
}
const specOf = (document: unknown): Spec => (document as { spec: Spec }).spec;
const apply = (document: Verbatim, patch: readonly PatchOperation[]): Verbatim =>
  jsonPatch(document, patch) as Verbatim;
const appliedTo = (machine: VirtualMachine, patch: readonly PatchOperation[]): Spec =>
  specOf(apply(wire(machine), patch));
/** The machine as it is read again after a patch. */
const reread = (machine: VirtualMachine, spec: Spec): VirtualMachine => ({
  ...machine,
  volumes: spec.template.spec.volumes,
  dataVolumeTemplates: spec.dataVolumeTemplates ?? [],
  updateVolumesStrategy: spec.updateVolumesStrategy ?? '',
});

const iso: Verbatim = { name: 'iso', containerDisk: { image: 'x' } };
const dv: Verbatim = { name: 'root', dataVolume: { name: 'web-1-root' } };

const disk = (found: Verbatim, name = 'root', behind?: Verbatim): MigrationRecord['disks'][number] => ({
  volume: name,
  source: `web-1-${name}`,
  sourceUid: 'x',
  target: `web-1-${name}-fast`,
  entry: { ...found },
  ...(behind === undefined ? {} : { template: { ...behind } }),
});

const hot = entry('data', 'web-1-data', { hotpluggable: true });
const hotDv: Verbatim = { name: 'data', dataVolume: { name: 'web-1-data', hotpluggable: true } };
const plain = entry('root', 'web-1-root');

const cases: readonly {
  readonly name: string;
  readonly volumes: readonly Verbatim[];
  readonly templates: readonly Verbatim[];
  readonly disks: MigrationRecord['disks'];
  readonly volumesThen: readonly Verbatim[];
  readonly templatesThen: readonly Verbatim[] | undefined;
}[] = [
  {
    name: 'a plain claim among other volumes, the order kept',
    volumes: [iso, plain, entry('more', 'm')],
    templates: [],
    disks: [disk(plain)],
    volumesThen: [iso, entry('root', 'web-1-root-fast'), entry('more', 'm')],
    templatesThen: undefined,
  },
  {
    name: 'a DataVolume becomes a plain claim, and its one template goes with the field',
    volumes: [dv],
    templates: [template('web-1-root')],
    disks: [disk(dv, 'root', template('web-1-root'))],
    volumesThen: [entry('root', 'web-1-root-fast')],
    templatesThen: undefined,
  },
  {
    name: 'templates of others stay',
    volumes: [dv, { name: 'x', dataVolume: { name: 'x' } }],
    templates: [template('web-1-root'), template('x')],
    disks: [disk(dv, 'root', template('web-1-root'))],
    volumesThen: [entry('root', 'web-1-root-fast'), { name: 'x', dataVolume: { name: 'x' } }],
    templatesThen: [template('x')],
  },
  {
    name: 'a DataVolume without a template leaves the templates alone',
    volumes: [dv, { name: 'x', dataVolume: { name: 'x' } }],
    templates: [template('x')],
    disks: [disk(dv)],
    volumesThen: [entry('root', 'web-1-root-fast'), { name: 'x', dataVolume: { name: 'x' } }],
    templatesThen: [template('x')],
  },
  {
    name: 'hotplugged disks stay hotplugged, as claim and as DataVolume',
    volumes: [plain, hot],
    templates: [],
    disks: [disk(plain), disk(hot, 'data')],
    volumesThen: [entry('root', 'web-1-root-fast'), entry('data', 'web-1-data-fast', { hotpluggable: true })],
    templatesThen: undefined,
  },
  {
    name: 'a hotplugged DataVolume',
    volumes: [hotDv],
    templates: [],
    disks: [disk(hotDv, 'data')],
    volumesThen: [entry('data', 'web-1-data-fast', { hotpluggable: true })],
    templatesThen: undefined,
  },
];

describe.each(cases)('$name', ({ volumes, templates, disks, volumesThen, templatesThen }) => {
  const machine = vm({ volumes, dataVolumeTemplates: templates });
  const recorded = record({ disks: [...disks] });
  const then = appliedTo(machine, patchToTarget(machine, recorded));

  test('names B with strategy Migration, all in one patch', () => {
    expect(then.template.spec.volumes).toStrictEqual(volumesThen);
    expect(then.dataVolumeTemplates).toStrictEqual(templatesThen);
    expect(then.updateVolumesStrategy).toBe('Migration');
  });

  test('the revert restores volumes to the letter and every template, and leaves the strategy', () => {
    const moved = reread(machine, then);
    const back = appliedTo(moved, patchToSource(moved, recorded));
    expect(back.template.spec.volumes).toStrictEqual(volumes);
    const byName = (list: readonly Verbatim[]) =>
      [...list].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    expect(byName(back.dataVolumeTemplates ?? [])).toStrictEqual(byName(templates));
    expect(back.updateVolumesStrategy).toBe('Migration');
  });

  test('the repair names B with strategy Replacement, after a revert or half of one', () => {
    const repaired = appliedTo(machine, patchRepair(machine, recorded));
    expect(repaired.template.spec.volumes).toStrictEqual(volumesThen);
    expect(repaired.dataVolumeTemplates).toStrictEqual(templatesThen);
    expect(repaired.updateVolumesStrategy).toBe('Replacement');
  });

  test('a second revert changes nothing but passes', () => {
    expect(appliedTo(machine, patchToSource(machine, recorded)).template.spec.volumes).toStrictEqual(volumes);
  });
});

describe('guards', () => {
  const machine = vm({ volumes: [dv], dataVolumeTemplates: [template('web-1-root')] });
  const recorded = record({ disks: [disk(dv, 'root', template('web-1-root'))] });
  const changed = (fields: Partial<VirtualMachine>): Verbatim => wire({ ...machine, ...fields });
  const patches: readonly (readonly [
    string,
    (one: VirtualMachine, of: MigrationRecord) => readonly PatchOperation[],
  ])[] = [
    ['to the target', patchToTarget],
    ['to the source', patchToSource],
    ['repair', patchRepair],
  ];

  test.each(patches)('%s lands on no other VM of the name', (_, patch) => {
    expect(() => apply(changed({ uid: 'uid-2' }), patch(machine, recorded))).toThrow();
  });

  test.each(patches)('%s lands on no other volumes', (_, patch) => {
    expect(() => apply(changed({ volumes: [dv, iso] }), patch(machine, recorded))).toThrow();
    expect(() => apply(changed({ volumes: [entry('root', 'else')] }), patch(machine, recorded))).toThrow();
  });

  test('B is named only in the very version that was decided upon; cancelling waits for no status write', () => {
    const later = changed({ resourceVersion: '101' });
    expect(() => apply(later, patchToTarget(machine, recorded))).toThrow();
    expect(() => apply(later, patchToSource(machine, recorded))).not.toThrow();
    expect(() => apply(later, patchRepair(machine, recorded))).not.toThrow();
  });

  test('templates that somebody changed meanwhile are not overwritten', () => {
    const other = changed({ dataVolumeTemplates: [template('web-1-root'), template('new')] });
    expect(() => apply(other, patchRepair(machine, recorded))).toThrow();
  });

  test('the rest of the VM is left alone', () => {
    const document = wire(machine, { status: { ready: true } });
    const { spec: _, ...rest } = apply(document, patchToTarget(machine, recorded));
    const { spec: __, ...before } = document;
    expect(rest).toStrictEqual(before);
  });
});

test('there and back again restores any machine', () => {
  const names = fc.uniqueArray(fc.constantFrom('root', 'data', 'logs', 'swap'), { minLength: 1, maxLength: 4 });
  const form = fc.constantFrom('claim', 'hot', 'dv', 'dvTemplate');
  fc.assert(
    fc.property(names, fc.array(form, { minLength: 4, maxLength: 4 }), fc.nat({ max: 15 }), (disks, forms, moved) => {
      const kindOf = (index: number) => forms[index] ?? 'claim';
      const volumes = disks.map((name, index): Verbatim => {
        const kind = kindOf(index);
        if (kind === 'claim') return entry(name, `web-1-${name}`);
        if (kind === 'hot') return entry(name, `web-1-${name}`, { hotpluggable: true });
        return { name, dataVolume: { name: `web-1-${name}` } };
      });
      const templates = disks.flatMap((name, index) =>
        kindOf(index) === 'dvTemplate' ? [template(`web-1-${name}`)] : [],
      );
      const machine = vm({ volumes, dataVolumeTemplates: templates });
      const recorded = record({
        disks: disks.flatMap((name, index) => {
          const isMoved = index === 0 || (moved & (1 << index)) !== 0;
          const behind = kindOf(index) === 'dvTemplate' ? template(`web-1-${name}`) : undefined;
          return isMoved ? [disk(volumes[index] ?? {}, name, behind)] : [];
        }),
      });
      const there = reread(machine, appliedTo(machine, patchToTarget(machine, recorded)));
      const back = appliedTo(there, patchToSource(there, recorded));
      expect(back.template.spec.volumes).toStrictEqual(volumes);
      expect(new Set((back.dataVolumeTemplates ?? []).map((each) => JSON.stringify(each)))).toStrictEqual(
        new Set(templates.map((each) => JSON.stringify(each))),
      );
    }),
    { numRuns: 300 },
  );
});
