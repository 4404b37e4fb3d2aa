// A refusal as it travels: the Status object that every client of a Kubernetes API reads.
import type { KubeFailure } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';

/** What the request was about, as far as its path says. */
export interface About {
  readonly group: string;
  readonly plural: string;
  readonly name: string;
}

const rule = 'Invalid value|Required value|Unsupported value|Duplicate value|Not found|Forbidden|Too long|Too many';

/** The single mistakes that the message of an `Invalid` lists. */
const causesOf = (message: string): readonly Json[] => {
  const [, listed = ''] = /is invalid: (.*)$/s.exec(message) ?? [];
  const errors = listed.replace(/^\[(.*)\]$/s, '$1').split(new RegExp(`, (?=[^\\s,]+: (?:${rule}))`));
  return errors.flatMap((error) => {
    const [, field, kind = '', rest = ''] = new RegExp(`^(\\S+): (${rule})(.*)$`, 's').exec(error) ?? [];
    return field === undefined
      ? []
      : [{ reason: `FieldValue${kind.replace(/[a-z]* ?value$/, '')}`, message: `${kind}${rest}`, field }];
  });
};

/** The body that goes with the status code of the failure. */
export const statusBody = (failure: KubeFailure, about: About | undefined): Json => {
  const causes = failure.code === 422 ? causesOf(failure.message) : [];
  const retry = failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds };
  // An `Invalid` names the kind as objects do, everything else names the resource as paths do.
  const [, kind = about?.plural] =
    (failure.code === 422 && /^([^\s.]+)\S* ".*" is invalid/.exec(failure.message)) || [];
  const details: Json = {
    ...(about === undefined || about.name === '' ? {} : { name: about.name }),
    ...(about === undefined || about.group === '' ? {} : { group: about.group }),
    ...(kind === undefined ? {} : { kind }),
    ...(causes.length > 0 ? { causes } : {}),
    ...retry,
  };
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: failure.message,
    reason: failure.reason,
    details: failure.code === 422 && causes.length === 0 ? { ...retry } : details,
    code: failure.code,
  };
};
