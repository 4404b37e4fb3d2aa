// A refusal as it travels: the Status object that every client of a Kubernetes API reads.
import type { KubeFailure } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';

/** What the request was about, as far as its path says. */
export interface About {
  readonly group: string;
  readonly plural: string;
  readonly name: string;
}

/** How a mistake begins, and what it is called among the causes. */
const reasons: Readonly<Record<string, string>> = {
  'Invalid value': 'FieldValueInvalid',
  'Required value': 'FieldValueRequired',
  'Unsupported value': 'FieldValueNotSupported',
  'Duplicate value': 'FieldValueDuplicate',
  'Not found': 'FieldValueNotFound',
  Forbidden: 'FieldValueForbidden',
  'Too long': 'FieldValueTooLong',
  'Too many': 'FieldValueTooMany',
};

const beginning = Object.keys(reasons).join('|');
const between = new RegExp(`, (?=[^\\s,]+: (?:${beginning}))`);
const mistake = new RegExp(`^(\\S+): ((${beginning}).*)$`, 's');

/** The single mistakes that the message of an `Invalid` lists. */
const causesOf = (message: string): readonly Json[] => {
  const [, listed = ''] = /is invalid: (.*)$/s.exec(message) ?? [];
  return listed
    .replace(/^\[(.*)\]$/s, '$1')
    .split(between)
    .flatMap((error) => {
      const [, field, text, kind = ''] = mistake.exec(error) ?? [];
      return field === undefined ? [] : [{ reason: reasons[kind], message: text, field }];
    });
};

/** The body that goes with the status code of the failure. */
export const statusBody = (failure: KubeFailure, about: About | undefined): Json => {
  const causes = failure.code === 422 ? causesOf(failure.message) : [];
  const retry = failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds };
  // An `Invalid` names the kind as objects do, everything else names the resource as paths do.
  const [, kind = about?.plural, name = about?.name ?? ''] =
    (failure.code === 422 && /^([^\s.]+)\S* "(.*)" is invalid/.exec(failure.message)) || [];
  const details: Json = {
    ...(name === '' ? {} : { name }),
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
