// A real server keeps one set of events and shows it in two groups. Here what is written to events.k8s.io appears in
// the core group, where `kubectl get events` and `kubectl describe` look. Not the other way round.
import { KubeFailure, type KubeObject, type Resource } from '../../kube/api.ts';
import type { ApiServer, Change, Json } from '../cluster.ts';
import { json } from './json.ts';

const actor = 'event-mirror';
const core: Resource = { group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };

const shownInCore = (event: KubeObject): KubeObject => {
  const { eventTime, note, regarding, series, reportingController, reportingInstance, ...same } = event;
  const { metadata, deprecatedSource, deprecatedCount, deprecatedFirstTimestamp, deprecatedLastTimestamp } = same;
  const { reason, type, action, related } = same;
  const repeated = json.object(series);
  const fields: Json = {
    involvedObject: regarding,
    message: note,
    reason,
    type,
    action,
    related,
    eventTime,
    reportingComponent: reportingController,
    reportingInstance,
    series:
      series === undefined ? undefined : { count: repeated['count'], lastObservedTime: repeated['lastObservedTime'] },
    source: deprecatedSource ?? { component: reportingController },
    count: deprecatedCount,
    firstTimestamp: deprecatedFirstTimestamp ?? eventTime,
    lastTimestamp: deprecatedLastTimestamp ?? repeated['lastObservedTime'] ?? eventTime,
  };
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    ...fields,
  };
};

const mirror = (server: ApiServer, { type, object }: Change): void => {
  const shown = server.read(core, object.metadata);
  if (type === 'deleted') {
    if (shown !== undefined) server.remove(core, object.metadata, actor);
  } else if (shown === undefined) {
    server.create(core, shownInCore(object), actor);
  } else {
    server.replace(core, shownInCore(object), actor);
  }
};

/** Follows every change and repeats those of events.k8s.io in the core group. */
export const mirrorEvents = (server: ApiServer): ((change: Change) => void) => {
  return (change) => {
    if (change.resource.group !== 'events.k8s.io' || change.resource.plural !== 'events') return;
    try {
      mirror(server, change);
    } catch (error) {
      // A namespace that is being deleted takes no new events.
      if (!(error instanceof KubeFailure)) throw error;
    }
  };
};
