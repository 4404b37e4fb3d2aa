// What containers have written, as `pods/log` gives it: the server knows the pod, whoever runs its containers knows the
// text, and it is cut here as kubelets do: first the last lines, then of those the first bytes.
import type { LogOptions } from '../../kube/api.ts';
import { resources } from '../../kube/resources.ts';
import type { ApiServer, LogSource } from '../cluster.ts';
import type { Pod } from '../kubevirt/objects.ts';
import type { Inside } from './apiServer.ts';
import { failures } from './failures.ts';

const tail = (text: string, lines: number): string => {
  const ended = text.endsWith('\n');
  const all = (ended ? text.slice(0, -1) : text).split('\n');
  const last = lines === 0 ? [] : all.slice(-lines);
  return last.length === 0 ? '' : `${last.join('\n')}${ended ? '\n' : ''}`;
};

const cut = (text: string, { tailLines, limitBytes }: Partial<LogOptions>): string => {
  const last = tailLines === undefined || text === '' ? text : tail(text, tailLines);
  return limitBytes === undefined ? last : Buffer.from(last).subarray(0, limitBytes).toString('utf8');
};

interface ContainerStatus {
  readonly state?: { readonly waiting?: unknown };
}

const isWaiting = (pod: Pod): boolean => {
  const [container] = (pod.status?.['containerStatuses'] ?? []) as readonly ContainerStatus[];
  return container === undefined || container.state?.waiting !== undefined;
};

/** The part of an ApiServer that answers `pods/log`. */
export const podLogs = (inside: Inside): Pick<ApiServer, 'log' | 'logsFrom'> => {
  const sources: LogSource[] = [];
  return {
    logsFrom: (source) => {
      sources.push(source);
    },
    log: (ref, options = {}) => {
      const pod = inside.store(resources.pods).read(ref) as Pod | undefined;
      if (pod === undefined) throw failures.notFound(resources.pods, ref.name);
      if (pod.spec.nodeName === undefined) return '';
      if (isWaiting(pod)) {
        const { name } = (pod.spec['containers'] as readonly { readonly name: string }[])[0] ?? { name: '' };
        const why = `container "${name}" in pod "${ref.name}" is waiting to start: ContainerCreating`;
        throw failures.badRequest(why);
      }
      for (const source of sources) {
        const text = source(pod);
        if (text !== undefined) return cut(text, options);
      }
      return '';
    },
  };
};
