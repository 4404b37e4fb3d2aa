// A port that can be told to send nothing more: how the daemon ends without new work, whatever its loops still have in
// hand. Requests under way are not touched.
import { defer, type Observable, throwError } from 'rxjs';
import { type KubeApi, KubeFailure } from './api.ts';

/** The port; a request that is made while `isOver` fails as `unreachable`, which says that nothing was changed. */
export const endable = (api: KubeApi, isOver: () => boolean): KubeApi => {
  const refused = () => new KubeFailure('unreachable', 'not sent, because Transship is ending');
  const unlessOver =
    <Asked extends unknown[], T>(request: (...asked: Asked) => Observable<T>) =>
    (...asked: Asked): Observable<T> =>
      defer(() => (isOver() ? throwError(refused) : request(...asked)));
  return {
    list: unlessOver(api.list),
    watch: unlessOver(api.watch),
    get: unlessOver(api.get),
    create: unlessOver(api.create),
    patch: unlessOver(api.patch),
    remove: unlessOver(api.remove),
    log: unlessOver(api.log),
  };
};
