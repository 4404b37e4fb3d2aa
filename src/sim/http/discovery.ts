// What a client asks before anything else: which groups, versions and kinds there are, and which server this is.
import type { ApiServer, Json, KindOptions } from '../cluster.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const inAll = new Set(['pods', 'services', 'deployments']);

const resourceEntries = (kind: KindOptions): readonly Json[] => {
  const { plural, namespaced, kind: name } = kind.resource;
  const entry = {
    name: plural,
    singularName: kind.singular,
    namespaced,
    kind: name,
    verbs,
    ...(kind.shortNames === undefined ? {} : { shortNames: kind.shortNames }),
    ...(inAll.has(plural) ? { categories: ['all'] } : {}),
  };
  if (kind.status !== true) return [entry];
  return [
    entry,
    { name: `${plural}/status`, singularName: '', namespaced, kind: name, verbs: ['get', 'patch', 'update'] },
  ];
};

const groupEntry = (group: string, kinds: readonly KindOptions[]): Json => {
  const names = [
    ...new Set(kinds.filter(({ resource }) => resource.group === group).map(({ resource }) => resource.version)),
  ];
  const versions = names.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions, preferredVersion: versions[0] };
};

const groupsOf = (kinds: readonly KindOptions[]): readonly string[] =>
  [...new Set(kinds.map(({ resource }) => resource.group))].filter((group) => group !== '');

const version = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0+transship',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'simulated/any',
};

/** The answer for a discovery path such as `/apis/apps/v1`; undefined when the path is none. */
export const discovery = (server: ApiServer, path: string): Json | undefined => {
  const kinds = server.kinds();
  if (path === '/version') return version;
  if (path === '/') return { paths: ['/api', '/api/v1', '/apis', '/healthz', '/openapi/v2', '/version'] };
  if (path === '/api') {
    return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  }
  if (path === '/apis') {
    const groups = groupsOf(kinds).map((group) => groupEntry(group, kinds));
    return { kind: 'APIGroupList', apiVersion: 'v1', groups };
  }
  const [, api, first = '', second = '', ...rest] = path.split('/');
  const isCore = api === 'api';
  if (rest.length > 0 || (isCore && second !== '') || (!isCore && api !== 'apis')) return undefined;
  const [group, wanted] = isCore ? ['', first] : [first, second];
  const found = kinds.filter(({ resource }) => resource.group === group);
  if (found.length === 0) return undefined;
  if (wanted === '') return { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, kinds) };
  const resources = found.filter(({ resource }) => resource.version === wanted).flatMap(resourceEntries);
  if (resources.length === 0) return undefined;
  const groupVersion = group === '' ? wanted : `${group}/${wanted}`;
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
};
