// The refusals of KubeVirt's webhooks and subresources, in the form in which the API server passes them on.
import { KubeFailure, type Resource } from '../../kube/api.ts';

/** A webhook's denial: 422 with the reason a person reads. */
const invalid = (message: string): KubeFailure =>
  new KubeFailure('status', `admission webhook denied the request: ${message}`, { code: 422, reason: 'Invalid' });

const badRequest = (message: string): KubeFailure =>
  new KubeFailure('status', `admission webhook denied the request: ${message}`, { code: 400, reason: 'BadRequest' });

const forbidden = (message: string): KubeFailure =>
  new KubeFailure('status', `admission webhook denied the request: ${message}`, { code: 403, reason: 'Forbidden' });

/** A subresource's 409 (contract §7). */
const conflict = (resource: Resource, name: string, message: string): KubeFailure =>
  new KubeFailure(
    'status',
    `Operation cannot be fulfilled on ${resource.kind.toLowerCase()}.${resource.group} "${name}": ${message}`,
    { code: 409, reason: 'Conflict' },
  );

const notFound = (resource: Resource, name: string): KubeFailure =>
  new KubeFailure('status', `${resource.kind.toLowerCase()}.${resource.group} "${name}" not found`, {
    code: 404,
    reason: 'NotFound',
  });

export const refuse = { invalid, badRequest, forbidden, conflict, notFound };
