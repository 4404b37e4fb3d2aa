// The daemon's rights: exactly what it asks an API server for when it does everything that it can do.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { resources } from '../../src/kube/resources.ts';
import { callsOfTheDaemon } from './calls.ts';
import { type Manifest, manifests } from './manifests.ts';

const role = z.looseObject({
  rules: z.array(
    // Strict: a rule with resourceNames or nonResourceURLs would be read wrongly here.
    z.strictObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()), verbs: z.array(z.string()) }),
  ),
});

/** Verbs by resource, from the roles of these names in one file taken together. */
function grantsOf(objects: readonly Manifest[] | undefined, ...names: readonly string[]) {
  const grants = (objects ?? [])
    .filter((object) => object.kind.endsWith('Role') && names.includes(object.metadata.name))
    .flatMap((object) => role.parse(object).rules)
    .flatMap(({ apiGroups, resources: kinds, verbs }) =>
      apiGroups.flatMap((group) => kinds.map((kind) => [`${group}/${kind}`, [...verbs].sort()] as const)),
    );
  expect(new Set(grants.map(([resource]) => resource)).size, 'each resource stands in one rule').toBe(grants.length);
  return new Map(grants);
}

/** A verb that is missing in a role is missing in the cluster, one too many is a right too many. */
const called = Object.fromEntries([...callsOfTheDaemon()].map(([name, verbs]) => [name, [...verbs].sort()]));
const rbac = manifests().get('rbac.yaml');

describe('the ClusterRole of the daemon', () => {
  test('grants exactly the verbs that the daemon uses', () => {
    expect(Object.fromEntries(grantsOf(rbac, 'transship'))).toEqual(called);
  });

  test('covers every kind that the code knows', () => {
    const granted = grantsOf(rbac, 'transship');
    for (const { group, plural } of Object.values(resources)) {
      expect([...granted.keys()]).toContain(`${group}/${plural}`);
    }
  });

  test('has no wildcard', () => {
    expect(JSON.stringify([...grantsOf(rbac, 'transship')])).not.toContain('*');
  });

  test("cannot read secrets, change roles or write what is KubeVirt's", () => {
    const granted = grantsOf(rbac, 'transship');
    expect([...granted.keys()].filter((name) => /rbac|authentication|exec|attach/.test(name))).toEqual([]);
    expect(granted.get('/secrets')).toEqual(['create']);
    for (const kind of ['virtualmachineinstances', 'virtualmachineinstancemigrations', 'kubevirts']) {
      for (const verb of ['create', 'update', 'patch', 'delete', 'deletecollection']) {
        expect(granted.get(`kubevirt.io/${kind}`)).not.toContain(verb);
      }
    }
  });
});

describe('the roles for one namespace', () => {
  const objects = manifests('examples/').get('one-namespace.yaml');

  test('grant together what the ClusterRole does', () => {
    expect(Object.fromEntries(grantsOf(objects, 'transship', 'transship-settings'))).toEqual(called);
  });

  test('grant nothing in the whole cluster but reading the settings of KubeVirt', () => {
    const wide = (objects ?? []).filter((object) => object.kind === 'ClusterRole');
    expect([...grantsOf(wide, 'transship', 'transship-settings')]).toEqual([
      ['kubevirt.io/kubevirts', ['list', 'watch']],
    ]);
  });

  test('are bound to the service account of the daemon', () => {
    const bindings = (objects ?? []).filter((object) => object.kind.endsWith('RoleBinding'));
    const account = { kind: 'ServiceAccount', name: 'transship', namespace: 'transship-system' };
    expect(bindings).toMatchObject([
      { metadata: { namespace: 'shop' }, roleRef: { kind: 'Role', name: 'transship' }, subjects: [account] },
      { roleRef: { kind: 'ClusterRole', name: 'transship-settings' }, subjects: [account] },
    ]);
  });
});

describe('the roles for people', () => {
  test('let editors write StorageMigrations and viewers read them, status excepted', () => {
    expect([...grantsOf(rbac, 'transship-edit')]).toEqual([
      ['transship.dev/storagemigrations', ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']],
    ]);
    expect([...grantsOf(rbac, 'transship-view')]).toEqual([
      ['transship.dev/storagemigrations', ['get', 'list', 'watch']],
    ]);
  });
});
