// Tells people in the cluster: a Kubernetes Event on the VM and one on the StorageMigration for every turn a machine
// takes. A side branch: an Event that cannot be written is counted and forgotten, and nothing waits for one.
import { EMPTY, from, map, mergeMap, type Observable } from 'rxjs';
import { keyText, type MachineKey } from '../core/reading.ts';
import type { KubeObject, Resource } from '../kube/api.ts';
import { resources } from '../kube/resources.ts';
import type { EffectDeps } from './deps.ts';
import type { Happening } from './happening.ts';
import { outcomeOf } from './outcome.ts';

interface Turn {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, as the API conventions ask. */
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

const normal = (reason: string, action: string, note: string): Turn => ({ type: 'Normal', reason, action, note });

/** The turn that a happening is for a machine; undefined for what people need not be told. */
const turnOf = (happening: Happening): Turn | undefined => {
  if (happening.kind !== 'command' || happening.outcome !== 'done') return undefined;
  switch (happening.command) {
    case 'startLive':
      return normal(
        'LiveMigrationStarted',
        'MigrateLive',
        'The volumes were patched to the target claims; KubeVirt copies them under the guest.',
      );
    case 'revert':
      return normal(
        'LiveMigrationReverted',
        'Revert',
        `The volumes were put back on the source claims: the machine was ${happening.cause ?? 'stopped'}.`,
      );
    case 'repair':
      return normal(
        'VolumesRepaired',
        'Repair',
        'The VM named the source claims while the guest runs on the target claims; it names those again.',
      );
    case 'cutOver':
      return normal('CutOver', 'CutOver', 'The offline copy is whole; the VM names the target claims.');
    case 'deletePod':
      return happening.cause === 'finished' || happening.key.machine === undefined
        ? undefined
        : normal(
            'OfflineCopyCancelled',
            'CancelCopy',
            `A copy pod was deleted: the machine was ${happening.cause ?? 'started'}.`,
          );
    case 'record':
      if (happening.record === 'copyBegins')
        return normal(
          'OfflineCopyStarted',
          'CopyOffline',
          'The machine is off; its disks are copied to the target claims.',
        );
      if (happening.record === 'completed')
        return normal('Moved', 'Move', 'Every disk of the machine is on its target claim.');
      if (happening.record === 'gaveUp')
        return {
          type: 'Warning',
          reason: 'GaveUp',
          action: 'GiveUp',
          note: 'The machine was given up; see the status of the StorageMigration.',
        };
      if (happening.record === 'copyFailed')
        return {
          type: 'Warning',
          reason: 'CopyFailed',
          action: 'CopyOffline',
          note: 'A copy failed; see the status of the StorageMigration.',
        };
      return undefined;
    default:
      return undefined;
  }
};

const regarding = (resource: Resource, namespace: string, name: string, uid: string) => ({
  apiVersion: `${resource.group}/${resource.version}`,
  kind: resource.kind,
  namespace,
  name,
  uid,
});

const eventOf = (turn: Turn, subject: ReturnType<typeof regarding>, now: number, instance: string): KubeObject => ({
  apiVersion: `${resources.events.group}/${resources.events.version}`,
  kind: resources.events.kind,
  // The server makes the name from this.
  metadata: { name: '', generateName: `${subject.name}.`, namespace: subject.namespace },
  eventTime: new Date(now).toISOString().replace('Z', '000Z'),
  reportingController: 'transship.dev/transship',
  reportingInstance: instance,
  regarding: subject,
  ...turn,
});

const eventsFor = (
  happening: Happening,
  deps: Pick<EffectDeps, 'reading' | 'now'>,
  instance: string,
): readonly KubeObject[] => {
  const turn = turnOf(happening);
  if (turn === undefined || happening.kind !== 'command' || happening.key.machine === undefined) return [];
  const key: MachineKey = { ...happening.key, machine: happening.key.machine };
  const facts = deps.reading.machine(key);
  if (facts === undefined) return [];
  const { migration, machine } = facts.view;
  const onMigration = regarding(resources.storageMigrations, key.namespace, migration.name, migration.uid);
  const subjects = [onMigration];
  if (machine !== undefined)
    subjects.push(regarding(resources.virtualMachines, key.namespace, machine.name, machine.uid));
  return subjects.map((subject) =>
    eventOf(
      subject === onMigration ? { ...turn, note: `${key.machine}: ${turn.note}` } : turn,
      subject,
      deps.now(),
      instance,
    ),
  );
};

/** Events under way at the same time; further ones wait. */
const concurrentEvents = 4;

/** Writes the Events that `happenings` call for; emits what became of each. `instance` names this process. */
export const announce = (
  happenings: Observable<Happening>,
  deps: Pick<EffectDeps, 'api' | 'reading' | 'now'>,
  instance: string,
): Observable<Happening> =>
  happenings.pipe(
    mergeMap((happening) => {
      const events = eventsFor(happening, deps, instance);
      return events.length === 0 ? EMPTY : from(events).pipe(map((event) => ({ event, key: happening.key })));
    }),
    mergeMap(
      ({ event, key }) =>
        outcomeOf(deps.api.create(resources.events, event)).pipe(
          map(
            (outcome): Happening => ({
              kind: 'command',
              key,
              command: 'event',
              outcome: outcome.kind,
              detail: outcome.kind === 'done' ? '' : `${keyText(key)}: ${outcome.message}`,
              cause: undefined,
              record: undefined,
            }),
          ),
        ),
      concurrentEvents,
    ),
  );
