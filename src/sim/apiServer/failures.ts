// The refusals of the simulated API server, worded as a real one words them: each is a KubeFailure of kind `status`.
import { KubeFailure, type Resource } from '../../kube/api.ts';

const status = (code: number, reason: string, message: string): KubeFailure =>
  new KubeFailure('status', message, { code, reason });

const qualified = (name: string, group: string): string => (group === '' ? name : `${name}.${group}`);

const noSuchKind = (): KubeFailure => status(404, 'NotFound', 'the server could not find the requested resource');

const notFound = (resource: Resource, name: string): KubeFailure =>
  status(404, 'NotFound', `${qualified(resource.plural, resource.group)} "${name}" not found`);

const alreadyExists = (resource: Resource, name: string): KubeFailure =>
  status(409, 'AlreadyExists', `${qualified(resource.plural, resource.group)} "${name}" already exists`);

const conflict = (resource: Resource, name: string, why: string): KubeFailure =>
  status(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource.plural, resource.group)} "${name}": ${why}`,
  );

const stale = (resource: Resource, name: string): KubeFailure =>
  conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );

const invalid = (resource: Resource, name: string, errors: readonly string[]): KubeFailure => {
  const listed = errors.length === 1 ? errors.join('') : `[${errors.join(', ')}]`;
  return status(422, 'Invalid', `${qualified(resource.kind, resource.group)} "${name}" is invalid: ${listed}`);
};

const badRequest = (message: string): KubeFailure => status(400, 'BadRequest', message);

const forbidden = (resource: Resource, name: string, why: string): KubeFailure =>
  status(403, 'Forbidden', `${qualified(resource.plural, resource.group)} "${name}" is forbidden: ${why}`);

/** What a patch is answered that could be read but not carried out, a `test` that does not hold among them. */
const patchRefused = (): KubeFailure =>
  status(422, 'Invalid', 'the server rejected our request due to an error in our request');

const expired = (message: string): KubeFailure => status(410, 'Expired', message);

/** Makes the KubeFailure for each way in which the server refuses. */
export const failures = {
  status,
  noSuchKind,
  notFound,
  alreadyExists,
  conflict,
  stale,
  invalid,
  badRequest,
  forbidden,
  patchRefused,
  expired,
};
