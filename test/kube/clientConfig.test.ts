// Reading a kubeconfig: whatever is wrong with it is said with the file and with what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadKubeConfig } from '../../src/kube/clientConfig.ts';

const place = mkdtempSync(join(tmpdir(), 'transship-kubeconfig-'));
afterAll(() => rmSync(place, { recursive: true }));

const written = (name: string, text: string): string => {
  const path = join(place, name);
  writeFileSync(path, text);
  return path;
};

const config = (more: { server?: string; current?: string; cluster?: string; proxy?: string } = {}): string => `
apiVersion: v1
kind: Config
clusters:
- name: here
  cluster:
    server: ${more.server ?? 'https://10.0.0.1:6443'}
    ${more.proxy === undefined ? '' : `proxy-url: ${more.proxy}`}
users:
- name: me
  user: {token: secret}
contexts:
- name: one
  context: {cluster: ${more.cluster ?? 'here'}, user: me}
- name: two
  context: {cluster: here, user: nobody}
current-context: ${more.current ?? 'one'}
`;

const messageOf = (path: string | undefined, context?: string): string => {
  const loaded = loadKubeConfig({ path, context });
  return loaded.kind === 'mistake' ? loaded.message : `loaded ${loaded.server}`;
};

describe('loadKubeConfig', () => {
  beforeEach(() => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', place);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  test('loads a file and tells the server', () => {
    expect(messageOf(written('good', config()))).toBe('loaded https://10.0.0.1:6443');
  });

  test('loads what $KUBECONFIG names when no file is given', () => {
    vi.stubEnv('KUBECONFIG', written('good', config()));
    expect(messageOf(undefined)).toBe('loaded https://10.0.0.1:6443');
  });

  test('says that a file does not exist, named or in $KUBECONFIG', () => {
    expect(messageOf(join(place, 'missing'))).toContain('missing does not exist: name another with --kubeconfig');
    vi.stubEnv('KUBECONFIG', join(place, 'absent'));
    expect(messageOf(undefined)).toContain('absent does not exist');
  });

  test('says that nothing was found', () => {
    expect(messageOf(undefined)).toContain('No kubeconfig was found');
  });

  test.each([
    ['bad YAML', 'clusters: [', 'cannot be read'],
    ['an empty file', '', 'cannot be read'],
    ['a directory', undefined, 'is a directory'],
    ['no current context', config({ current: '""' }), 'has no current-context'],
    [
      'a current context that is not there',
      config({ current: 'three' }),
      'has no context "three" (contexts: one, two)',
    ],
    ['a cluster that is not there', config({ cluster: 'there' }), 'names cluster "there", which is not there'],
    ['a user that is not there', config({ current: 'two' }), 'names user "nobody", which is not there'],
    ['a server without a scheme', config({ server: '10.0.0.1:6443' }), 'is not an http or https URL'],
    ['a proxy of another kind', config({ proxy: 'socks5://p:1080' }), 'other proxies are not supported'],
  ])('says what is wrong with %s', (name, text, message) => {
    expect(messageOf(text === undefined ? place : written(name, text))).toContain(message);
  });

  test('uses another context when told to', () => {
    expect(messageOf(written('good', config()), 'two')).toContain('names user "nobody"');
  });
});
