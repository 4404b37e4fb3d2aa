// What a real server demands of events and leases. Their times have microseconds, exactly six digits of them: anything
// else is not even read (400). An event of events.k8s.io must say who reports, what was done and why.
import type { KubeObject } from '../../kube/api.ts';
import type { Json } from '../cluster.ts';
import type { KindRules } from './coreRules.ts';
import { failures } from './failures.ts';
import { json } from './json.ts';

const micro = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[-+]\d\d:\d\d)$/;
const mostNoteLength = 1024;

const demandMicroTime = (object: Json, field: string): void => {
  const value = object[field];
  if (value === undefined || value === null || (typeof value === 'string' && micro.test(value))) return;
  throw failures.badRequest(
    `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05.000000Z07:00": ${field} must have six digits after the second`,
  );
};

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const limited = (event: KubeObject, field: string): readonly string[] => {
  const value = text(event[field]);
  if (value === '') return [`${field}: Required value: must be set`];
  return value.length > 128 ? [`${field}: Invalid value: "": can have at most 128 characters`] : [];
};

const eventErrors = (event: KubeObject): readonly string[] => {
  const namespace = json.object(event['regarding'])['namespace'];
  const note = text(event['note']);
  return [
    ...(event['eventTime'] === undefined ? ['eventTime: Required value: must be set'] : []),
    ...(text(event['reportingController']) === '' ? ['reportingController: Required value: must be set'] : []),
    ...['reportingInstance', 'action', 'reason'].flatMap((field) => limited(event, field)),
    ...(event['type'] === 'Normal' || event['type'] === 'Warning'
      ? []
      : [`type: Invalid value: ${JSON.stringify(event['type'])}: has invalid value: ${event['type']}`]),
    ...(note.length > mostNoteLength ? [`note: Invalid value: "": can have at most ${mostNoteLength} characters`] : []),
    ...(namespace !== undefined && namespace !== event.metadata.namespace
      ? [`regarding.namespace: Invalid value: ${JSON.stringify(namespace)}: does not match event.namespace`]
      : []),
  ];
};

const fixed = [
  'regarding',
  'reason',
  'note',
  'type',
  'action',
  'eventTime',
  'reportingController',
  'reportingInstance',
];

/** Rules of events in the group events.k8s.io. */
export const eventRules: KindRules = {
  errors: (event, previous) => {
    demandMicroTime(event, 'eventTime');
    demandMicroTime(json.object(event['series']), 'lastObservedTime');
    if (previous === undefined) return eventErrors(event);
    return fixed
      .filter((field) => !json.equal(event[field], previous[field]))
      .map((field) => `${field}: Invalid value: ${JSON.stringify(event[field])}: field is immutable`);
  },
};

/** Rules of leases. */
export const leaseRules: KindRules = {
  errors: (lease) => {
    const spec = json.object(lease['spec']);
    demandMicroTime(spec, 'acquireTime');
    demandMicroTime(spec, 'renewTime');
    return [];
  },
};
