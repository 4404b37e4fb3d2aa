// The container of a copy pod as its manifest describes it, and what it is started with here: the same program and
// arguments as in the image, with the environment that the manifest asks for and nothing of ours.
import type { Pod } from '../kubevirt/objects.ts';

export interface CopyContainer {
  readonly name: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
  }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly volumeDevices?: readonly { readonly name: string; readonly devicePath: string }[];
  readonly terminationMessagePolicy?: string;
}

/** What the image has on its PATH. */
const program = 'transship-copy';

/** The copy container of a pod; undefined for a pod of another kind. */
export const copyContainer = (pod: Pod): CopyContainer | undefined =>
  (pod.spec['containers'] as readonly CopyContainer[]).find(({ command }) => command?.[0] === program);

/** The field of a pod that the downward API names, such as `status.podIP`. */
const fieldOf = (pod: Pod, path: string): string =>
  String(
    path
      .split('.')
      .reduce<unknown>(
        (value, key) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : ''),
        pod,
      ) ?? '',
  );

/** The environment: the pod's own, and where its file system begins. */
export const environmentOf = (pod: Pod, container: CopyContainer, root: string): Readonly<Record<string, string>> => ({
  PATH: process.env['PATH'] ?? '',
  TRANSSHIP_ROOT: root,
  ...Object.fromEntries(
    (container.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? fieldOf(pod, valueFrom?.fieldRef?.fieldPath ?? ''),
    ]),
  ),
});
