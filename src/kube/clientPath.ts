// Paths of the Kubernetes API, put together in one place so that every name is escaped.
import type { Resource } from './api.ts';

export interface Address {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
  /** Entries that are undefined or empty are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** The path below the server's own address, for example `/apis/kubevirt.io/v1/namespaces/shop/virtualmachines/web-1`. */
export const pathOf = ({ group, version, plural }: Resource, address: Address): string => {
  const { namespace, name, subresource, query = {} } = address;
  const steps = [
    ...(group === '' ? ['api', version] : ['apis', group, version]),
    ...(namespace ? ['namespaces', namespace] : []),
    plural,
    ...(name ? [name] : []),
    ...(subresource ? [subresource] : []),
  ];
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(key, String(value));
  }
  const search = parameters.toString();
  return `/${steps.map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
};
