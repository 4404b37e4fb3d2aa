// Asks the server, before a copy pod is made, whether the machines it is for are still off: KubeVirt writes a VM before
// it starts it, and where it does not the VMI itself is there (law 1, contract §4.6).
import { concatMap, from, map, mergeMap, type Observable, of, toArray } from 'rxjs';
import type { MigrationView } from '../core/migration.ts';
import { resources } from '../kube/resources.ts';
import type { EffectDeps } from './deps.ts';
import { instanceIsOver } from './instanceOnServer.ts';
import { type Outcome, readOf } from './outcome.ts';

const done: Outcome<undefined> = { kind: 'done', value: undefined };

/** `done` only if all VMs are the very versions from which the copy was decided, and no guest of theirs can run. */
export const stillOff = (
  machines: readonly string[],
  view: MigrationView,
  deps: EffectDeps,
): Observable<Outcome<undefined>> =>
  from(machines).pipe(
    mergeMap((name) => isOff(name, view, deps)),
    toArray(),
    map((outcomes) => outcomes.find((outcome) => outcome.kind !== 'done') ?? done),
  );

const isOff = (name: string, view: MigrationView, deps: EffectDeps): Observable<Outcome<undefined>> => {
  const { namespace } = view.migration;
  const seen = view.members.find((member) => member.name === name)?.view.machine?.resourceVersion;
  return readOf(deps.api.get(resources.virtualMachines, { namespace, name })).pipe(
    concatMap((outcome): Observable<Outcome<undefined>> => {
      if (outcome.kind !== 'done') return of(outcome);
      const found = outcome.value?.metadata.resourceVersion;
      return found !== undefined && found === seen
        ? instanceIsOver(namespace, name, deps)
        : of({ kind: 'conflict', message: `VM ${name} has changed since it was seen off` });
    }),
  );
};
