// What went wrong with a request, in the terms of the port and in words that a person can act on: what was asked of
// whom, what came back, what to do. No secrets: headers and bodies of requests do not appear.
import { errorMessage } from '../core/errorMessage.ts';
import { KubeFailure, type ObjectRef, type Resource } from './api.ts';

/** What was asked, as RBAC names it. */
export interface Asked {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'patch' | 'delete';
  readonly resource: Resource;
  readonly ref?: ObjectRef | undefined;
  readonly namespace?: string | undefined;
  readonly subresource?: string | undefined;
  /** Scheme, host and port of the server. */
  readonly server: string;
}

const pluralOf = ({ resource, subresource }: Asked): string =>
  subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;

/** For example `patch virtualmachines shop/web-1 at https://10.0.0.1:6443`. */
const describe = (asked: Asked): string => {
  const { verb, ref, namespace, server } = asked;
  const object = ref === undefined ? '' : ` ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`;
  const where = ref === undefined && namespace !== undefined ? ` in namespace ${namespace}` : '';
  return `${verb} ${pluralOf(asked)}${object}${where} at ${server}`;
};

const advice: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; check the server address in the kubeconfig and that the API server runs',
  ENOTFOUND: 'the host name is not known; check the server address in the kubeconfig, and DNS',
  EAI_AGAIN: 'the host name could not be looked up; check DNS',
  EHOSTUNREACH: 'there is no route to the host; check the network',
  ENETUNREACH: 'there is no route to the network; check the network',
  ETIMEDOUT: 'the host does not answer; check the server address in the kubeconfig, firewalls and network policies',
  UND_ERR_CONNECT_TIMEOUT:
    'the host does not answer; check the server address in the kubeconfig, firewalls and network policies',
  EPROTO: 'the server does not speak TLS there; check whether the address should begin with http: instead of https:',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'the server does not speak TLS there; check whether the address should begin with http: instead of https:',
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    'the server does not speak TLS there; check whether the address should begin with http: instead of https:',
  CERT_HAS_EXPIRED: "the server's certificate has expired; it must be renewed",
  ERR_TLS_CERT_ALTNAME_INVALID:
    "the server's certificate is for other names; use one of them as server address, or set tls-server-name in the kubeconfig",
  ENOENT: 'a file that the kubeconfig names is missing',
};

const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
]);

const codeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  // A name with several addresses fails once for each.
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return codeOf(error.cause);
};

const wordsOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '') return wordsOf(error.errors[0]);
  return errorMessage(error);
};

/** A request that ended without an answer. `sent`: the server may have got it, and may act on it. */
export const brokenRequest = (asked: Asked, error: unknown, sent: boolean): KubeFailure => {
  if (error instanceof KubeFailure) return error;
  const code = codeOf(error);
  const trust = "the server's certificate is not signed by the certificate authority in the kubeconfig";
  const hint = untrusted.has(code) ? trust : (advice[code] ?? '');
  const what = sent ? 'the connection broke before the answer came' : 'no connection could be made';
  return new KubeFailure(
    sent ? 'unknown' : 'unreachable',
    `${describe(asked)}: ${what} (${wordsOf(error)})${hint === '' ? '' : `: ${hint}`}`,
  );
};

/** A request that was given up. */
export const lateRequest = (asked: Asked, afterMs: number, sent: boolean): KubeFailure =>
  new KubeFailure(
    sent ? 'unknown' : 'unreachable',
    `${describe(asked)}: ${sent ? 'no answer' : 'no connection'} within ${afterMs} ms`,
  );

/** An answer that cannot be read, although the server says that all is well: it may have acted. */
export const strangeAnswer = (asked: Asked, what: string, found: string): KubeFailure =>
  new KubeFailure('unknown', `${describe(asked)}: ${what}: ${found.length > 200 ? `${found.slice(0, 200)}…` : found}`);

const adviceFor = (asked: Asked, code: number, reason: string): string => {
  const { group, plural, version } = asked.resource;
  if (code === 401) return '; the credentials are not accepted: check token or client certificate in the kubeconfig';
  if (code === 403) {
    const groupName = group === '' ? 'the core API group' : `API group ${group}`;
    return `; grant verb ${asked.verb} on ${pluralOf(asked)} in ${groupName} by RBAC (deploy/ has the roles)`;
  }
  // An object that is not there is answered with a reason; a kind that is not there makes a list 404, or has none.
  if (code === 404 && (asked.ref === undefined || reason === '')) {
    if (group === '') return '; the server does not know this kind: is it a Kubernetes API server?';
    const remedy = group === 'transship.dev' ? 'apply the CRD in deploy/' : `install what brings ${group}`;
    return `; CRD ${plural}.${group} is not installed, or not in version ${version}: ${remedy}`;
  }
  return '';
};

const statusOf = (body: string): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {};
  } catch {
    // A proxy answers in its own words.
    return { message: body.trim().slice(0, 300) };
  }
};

const retryAfterOf = (header: string | undefined, status: Readonly<Record<string, unknown>>): number | undefined => {
  const seconds = Number(header);
  if (header !== undefined && header.trim() !== '' && Number.isFinite(seconds) && seconds >= 0) return seconds;
  const details: unknown = status['details'];
  if (typeof details !== 'object' || details === null || !('retryAfterSeconds' in details)) return undefined;
  const { retryAfterSeconds } = details;
  return typeof retryAfterSeconds === 'number' && retryAfterSeconds > 0 ? retryAfterSeconds : undefined;
};

/** An answer other than success. `body` is a Status, or what a proxy on the way had to say. */
export const refusedRequest = (asked: Asked, code: number, body: string, retryAfter?: string): KubeFailure => {
  const status = statusOf(body);
  const reason = typeof status['reason'] === 'string' ? status['reason'] : '';
  const words = typeof status['message'] === 'string' && status['message'] !== '' ? `: ${status['message']}` : '';
  const answer = `${describe(asked)}: answered ${code}${reason === '' ? '' : ` ${reason}`}${words}`;
  const retryAfterSeconds = retryAfterOf(retryAfter, status);
  return new KubeFailure('status', `${answer}${adviceFor(asked, code, reason)}`, {
    code,
    reason,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
};
