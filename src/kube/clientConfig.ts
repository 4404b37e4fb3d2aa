// Finds and checks the kubeconfig, so that whatever is wrong with it is said at the start, in one sentence, and not by
// the first request.
import { KubeConfig } from '@kubernetes/client-node';

export interface KubeConfigChoice {
  /** A kubeconfig file; absent: $KUBECONFIG, ~/.kube/config, or the service account of the pod, in this order. */
  readonly path?: string | undefined;
  /** Context to use instead of the current one. */
  readonly context?: string | undefined;
}

export type LoadedKubeConfig =
  | { readonly kind: 'loaded'; readonly kubeConfig: KubeConfig; readonly server: string }
  | { readonly kind: 'mistake'; readonly message: string };

const mistake = (message: string): LoadedKubeConfig => ({ kind: 'mistake', message });

/** What the library makes up when it finds nothing. */
const fallback = { context: 'loaded-context', server: 'http://localhost:8080' };

const wordsOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);

const fileMistake = (error: unknown, path: string | undefined): string => {
  const file = error instanceof Error && 'path' in error && typeof error.path === 'string' ? error.path : path;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `The kubeconfig ${file} does not exist: name another with --kubeconfig or $KUBECONFIG.`;
  if (code === 'EACCES') return `The kubeconfig ${file} may not be read: check its permissions.`;
  if (code === 'EISDIR') return `The kubeconfig ${file} is a directory: name a file.`;
  return `The kubeconfig ${file ?? '($KUBECONFIG or ~/.kube/config)'} cannot be read: ${wordsOf(error)}: mend it or name another with --kubeconfig.`;
};

const isUrl = (text: string): boolean => {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
};

/** What is wrong with the context that would be used; undefined if nothing is. */
const contextMistake = (config: KubeConfig, where: string): string | undefined => {
  const names = config.contexts.map(({ name }) => name).join(', ') || 'none';
  const current = config.getCurrentContext();
  if (!current)
    return `${where} has no current-context: set one with "kubectl config use-context" (contexts: ${names}).`;
  const context = config.getContextObject(current);
  if (context === null) return `${where} has no context "${current}" (contexts: ${names}).`;
  const cluster = config.getCurrentCluster();
  if (cluster === null) return `${where}: context "${current}" names cluster "${context.cluster}", which is not there.`;
  if (context.user && config.getCurrentUser() === null) {
    return `${where}: context "${current}" names user "${context.user}", which is not there.`;
  }
  if (!isUrl(cluster.server)) {
    return `${where}: server "${cluster.server}" of cluster "${cluster.name}" is not an http or https URL.`;
  }
  if (cluster.proxyUrl && !isUrl(cluster.proxyUrl)) {
    return `${where}: proxy-url "${cluster.proxyUrl}" of cluster "${cluster.name}" is not an http or https URL; other proxies are not supported.`;
  }
  return undefined;
};

/** Loads the kubeconfig and chooses the context. Reads files and the environment; never throws because of them. */
export const loadKubeConfig = ({ path, context }: KubeConfigChoice): LoadedKubeConfig => {
  const kubeConfig = new KubeConfig();
  try {
    if (path === undefined) kubeConfig.loadFromDefault();
    else kubeConfig.loadFromFile(path);
  } catch (error) {
    return mistake(fileMistake(error, path));
  }
  const where = path === undefined ? 'The kubeconfig' : `The kubeconfig ${path}`;
  const found = kubeConfig.getCurrentCluster()?.server;
  if (path === undefined && found === fallback.server && kubeConfig.getCurrentContext() === fallback.context) {
    return mistake(
      'No kubeconfig was found: there is no --kubeconfig, no $KUBECONFIG, no ~/.kube/config and no service account of a pod.',
    );
  }
  if (found?.includes('undefined')) {
    return mistake(
      'A service account is there, but $KUBERNETES_SERVICE_HOST and _PORT are not: is this a pod of the cluster?',
    );
  }
  if (context !== undefined) kubeConfig.setCurrentContext(context);
  const wrong = contextMistake(kubeConfig, where);
  if (wrong !== undefined) return mistake(wrong);
  return { kind: 'loaded', kubeConfig, server: kubeConfig.getCurrentCluster()?.server ?? '' };
};
