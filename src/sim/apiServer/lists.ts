// Lists with pages. All pages of one list show the state at its first page; the token of the next page names that
// state, which is kept for a while. A token that came too late is answered 410.
import type { KubeObject, ListPage } from '../../kube/api.ts';
import type { ApiServer } from '../cluster.ts';
import type { Inside } from './apiServer.ts';
import { failures } from './failures.ts';
import { fieldSelector } from './fieldSelector.ts';
import { json } from './json.ts';
import { labelSelector } from './labelSelector.ts';

const mostKept = 100;

interface Kept {
  readonly version: string;
  readonly plural: string;
  readonly selected: readonly KubeObject[];
  readonly sinceMs: number;
}

const tooOld = () =>
  failures.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  );

const tokenOf = (list: number, from: number): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', list, from })).toString('base64url');

const readToken = (token: string): { readonly list: number; readonly from: number } => {
  try {
    const { list, from } = json.object(JSON.parse(Buffer.from(token, 'base64url').toString()));
    if (typeof list === 'number' && typeof from === 'number') return { list, from };
  } catch {
    // Said below, in one way for all that cannot be read.
  }
  throw failures.badRequest('continue key is not valid');
};

/** The listing part of an ApiServer. */
export const lists = (inside: Inside, continueMs: number): Pick<ApiServer, 'list'> => {
  const kept = new Map<number, Kept>();
  let made = 0;

  const keep = (list: Kept): number => {
    made += 1;
    kept.set(made, list);
    for (const [number, { sinceMs }] of kept) {
      if (kept.size > mostKept || inside.now() - sinceMs >= continueMs) kept.delete(number);
      else break;
    }
    return made;
  };

  const page = (list: Kept, from: number, limit: number | undefined, number: number | undefined): ListPage => {
    const to = limit ? from + limit : list.selected.length;
    const first = {
      resourceVersion: list.version,
      items: from === 0 && to >= list.selected.length ? list.selected : list.selected.slice(from, to),
    };
    return to < list.selected.length ? { ...first, continue: tokenOf(number ?? keep(list), to) } : first;
  };

  const further = (plural: string, token: string, limit: number | undefined): ListPage => {
    const { list: number, from } = readToken(token);
    const list = kept.get(number);
    if (list === undefined || list.plural !== plural || inside.now() - list.sinceMs >= continueMs) throw tooOld();
    return page(list, from, limit, number);
  };

  return {
    list: (resource, options) => {
      const store = inside.store(resource);
      if (options.continue) return further(resource.plural, options.continue, options.limit);
      const { namespace } = options;
      const everything = !namespace && !options.labelSelector && !options.fieldSelector;
      const hasLabels = labelSelector(options.labelSelector);
      const hasFields = fieldSelector(resource, options.fieldSelector);
      const selected = everything
        ? store.sorted()
        : store
            .sorted()
            .filter(
              (object) =>
                (!namespace || object.metadata.namespace === namespace) && hasLabels(object) && hasFields(object),
            );
      const list = { version: String(inside.version()), plural: resource.plural, selected, sinceMs: inside.now() };
      return page(list, 0, options.limit, undefined);
    },
  };
};
