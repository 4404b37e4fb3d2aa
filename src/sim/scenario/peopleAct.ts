// What people do in a row: they start those that are off and stop those that are on, each in the way of the variation,
// and may change their minds.
import { EMPTY, ignoreElements, interval, type Observable, take, tap } from 'rxjs';
import { KubeFailure } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import { refOf } from './rowObjects.ts';
import type { Row } from './rows.ts';
import type { Variation } from './variation.ts';
import type { World } from './world.ts';

/** `tell` hears of each act just before it is carried out. */
export const change = (
  world: World,
  row: Row,
  variation: Variation,
  tell: (what: 'start' | 'stop', machine: string) => void,
): void => {
  for (const name of row.changed) {
    const vm = refOf(name, variation);
    const isOn = row.machines.find((machine) => machine.name === name)?.on === true;
    tell(isOn ? 'stop' : 'start', name);
    if (!isOn) {
      world.people.start(vm);
      continue;
    }
    switch (variation.stopBy) {
      case 'api':
        world.people.stop(vm);
        break;
      case 'guest shutdown':
        world.people.guestShutdown(vm);
        break;
      case 'guest crash':
        world.people.guestCrash(vm);
        break;
      case 'deleting the VMI':
        world.people.deleteVmi(vm);
        break;
      default:
        variation.stopBy satisfies never;
    }
  }
};

const isOnNow = (world: World, name: string, variation: Variation): boolean => {
  const machine = world.server.read(resources.virtualMachines, refOf(name, variation));
  const spec = machine?.['spec'] as { readonly runStrategy?: string; readonly running?: boolean } | undefined;
  if (spec?.runStrategy === 'Halted' || spec?.running === false) return false;
  return world.server.read(resources.virtualMachineInstances, refOf(name, variation)) !== undefined;
};

/** Starts what they stopped and stops what they started, again and again. */
export const changeTheirMinds = (world: World, row: Row, variation: Variation): Observable<never> => {
  const { times, gapMs } = variation.flaps ?? { times: 0, gapMs: 0 };
  if (times === 0) return EMPTY;
  return interval(gapMs / world.speed).pipe(
    take(times),
    tap(() => {
      for (const name of row.changed) {
        try {
          if (isOnNow(world, name, variation)) world.people.stop(refOf(name, variation));
          else world.people.start(refOf(name, variation));
        } catch (refusal) {
          if (!(refusal instanceof KubeFailure)) throw refusal;
        }
      }
    }),
    ignoreElements(),
  );
};
