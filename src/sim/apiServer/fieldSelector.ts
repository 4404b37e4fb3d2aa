// Field selectors: `path=value`, `path==value` and `path!=value`, joined by commas. Every kind knows metadata.name and
// metadata.namespace; for pods and events a few fields more are known, as on a real server.
import type { KubeObject, Resource } from '../../kube/api.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';

const everyKind = ['metadata.name', 'metadata.namespace'];
const further: Readonly<Record<string, readonly string[]>> = {
  pods: ['spec.nodeName', 'status.phase', 'spec.schedulerName', 'spec.serviceAccountName'],
  events: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.fieldPath',
    'reason',
    'type',
    'source',
    'reportingComponent',
  ],
  secrets: ['type'],
  namespaces: ['status.phase'],
};

const fieldOf = (object: KubeObject, path: readonly string[]): string => {
  let found: unknown = object;
  for (const field of path) found = json.object(found)[field];
  return typeof found === 'string' ? found : '';
};

/** Whether an object is selected; an absent or empty selector selects all, an unknown field throws 400. */
export const fieldSelector = (resource: Resource, selector: string | undefined): ((object: KubeObject) => boolean) => {
  if (selector === undefined || selector.trim() === '') return () => true;
  const known = [...everyKind, ...(further[resource.plural] ?? [])];
  const requirements = selector.split(',').map((text) => {
    const [, path, operator, wanted = ''] = /^([A-Za-z.]+)(==|=|!=)(.*)$/.exec(text.trim()) ?? [];
    if (path === undefined) throw failures.badRequest(`invalid field selector: '${text}'; can't understand it`);
    if (!known.includes(path)) throw failures.badRequest(`field label not supported: ${path}`);
    const segments = path.split('.');
    return (object: KubeObject) => (fieldOf(object, segments) === wanted) === (operator !== '!=');
  });
  return (object) => requirements.every((holds) => holds(object));
};
