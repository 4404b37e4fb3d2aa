// Runs copy pods for real: the entry program as a process of this machine, with the pod's mounts in a folder of its own.
// Everything else about the pod is the simulated kubelet's: when it starts, is stopped and is removed.
import { join } from 'node:path';
import { map, Observable, type Subscription } from 'rxjs';
import { labels, roles } from '../../kube/names.ts';
import { resources } from '../../kube/resources.ts';
import type { LogSource } from '../cluster.ts';
import { claimsOf } from '../kubevirt/attachmentPods.ts';
import type { Pod } from '../kubevirt/objects.ts';
import type { ContainerEnd, ContainerRunner } from '../nodes/containerRunner.ts';
import type { Disks } from '../nodes/disks.ts';
import { type ContainerLog, containerLog } from './containerLog.ts';
import { type CopyContainer, copyContainer, environmentOf } from './copyContainer.ts';
import { type PodFolder, type PodFolderParts, podFolder } from './podFolder.ts';
import { processGroup } from './processGroup.ts';

export interface RunCopiesParts extends PodFolderParts {
  /** Told who may write which claim. */
  readonly disks: Disks;
  /** Where the pods' folders are made. The shorter the better: addresses of unix sockets have about 100 characters. */
  readonly base: string;
  /** The program that the image has as `transship-copy`, and arguments that come before those of the pod. */
  readonly program: readonly string[];
  /** Everything that runs ends with it. */
  readonly alive: Subscription;
}

export interface RunCopies {
  readonly runner: ContainerRunner;
  readonly log: LogSource;
}

/** The user of a pod's containers, where it may be somebody else than ourselves. */
const userFor = (pod: Pod, { user }: PodFolderParts) => {
  const asked = pod.spec['securityContext'] as
    | { readonly runAsUser?: number; readonly runAsGroup?: number }
    | undefined;
  return user === undefined ? undefined : { uid: asked?.runAsUser ?? user.uid, gid: asked?.runAsGroup ?? user.gid };
};

const endOf = (exitCode: number, container: CopyContainer, folder: PodFolder, log: ContainerLog): ContainerEnd => {
  const message = folder.terminationMessage();
  const fallsBack = container.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
  return { exitCode, message: message === '' && fallsBack ? log.lastWords() : message };
};

/** Makes the runner and the source of its logs. */
export const runCopies = (parts: RunCopiesParts): RunCopies => {
  const { server, disks, alive } = parts;
  const [file = '', ...before] = parts.program;
  const logs = new Map<string, ContainerLog>();
  let made = 0;

  const run = (pod: Pod, container: CopyContainer, stop$: Observable<void>): Observable<ContainerEnd> =>
    new Observable((subscriber) => {
      made += 1;
      const log = containerLog();
      logs.set(pod.metadata.uid, log);
      const folder = podFolder(join(parts.base, String(made)), pod, container, parts);
      const { namespace, name } = pod.metadata;
      // From when a server runs until it is gone, whoever it lets in may write.
      const written = pod.metadata.labels?.[labels.role] === roles.server ? claimsOf(pod) : [];
      for (const claim of written) disks.opened(namespace, claim, name);
      const program = {
        file,
        args: [...before, ...(container.args ?? [])],
        env: environmentOf(pod, container, folder.root),
        directory: folder.root,
        user: userFor(pod, parts),
      };
      const ended$ = processGroup(program, stop$, log).pipe(map((exitCode) => endOf(exitCode, container, folder, log)));
      const running = ended$.subscribe(subscriber);
      alive.add(subscriber);
      subscriber.add(() => {
        alive.remove(subscriber);
        running.unsubscribe();
        for (const claim of written) disks.closed(namespace, claim, name);
        folder.remove();
      });
    });

  alive.add(
    server.changes$.subscribe(({ resource, type, object }) => {
      if (resource.plural === resources.pods.plural && type === 'deleted') logs.delete(object.metadata.uid ?? '');
    }),
  );

  return {
    runner: (pod, stop$) => {
      const container = copyContainer(pod);
      return container === undefined ? undefined : run(pod, container, stop$);
    },
    log: ({ metadata }) => logs.get(metadata.uid ?? '')?.text(),
  };
};
