// What the parts of the simulated cluster share: the API server's inside, as its controllers (KubeVirt, kubelet,
// scheduler, garbage collector) and its checkers see it. Everything here is synchronous; time comes from rxjs timers,
// so a TestScheduler runs a whole cluster in virtual time.
import type { Observable } from 'rxjs';
import type {
  KubeApi,
  KubeObject,
  ListOptions,
  ListPage,
  LogOptions,
  ObjectRef,
  Patch,
  PatchOptions,
  RemoveOptions,
  Resource,
  WatchEvent,
  WatchOptions,
} from '../kube/api.ts';

/** A JSON object that may be changed, as controllers build one. */
export type Json = { [field: string]: unknown };

/** One accepted write, in order of resourceVersion. */
export interface Change {
  readonly type: 'added' | 'modified' | 'deleted';
  readonly resource: Resource;
  readonly object: KubeObject;
  /** The object before the write; absent for `added`. */
  readonly previous: KubeObject | undefined;
  /** Who wrote, for logs and checkers: `user`, `daemon`, `virt-controller`, `kubelet` ... */
  readonly actor: string;
}

/**
 * The API server as its inhabitants call it. Every write is validated, versioned and either accepted at once or
 * refused by throwing a KubeFailure of kind `status`. Objects handed out are frozen.
 */
export interface ApiServer {
  /** Reads one object; undefined when there is none. */
  read(resource: Resource, ref: ObjectRef): KubeObject | undefined;
  /** All objects of a kind, of one namespace or of all. */
  all(resource: Resource, namespace?: string): readonly KubeObject[];
  create(resource: Resource, object: KubeObject, actor: string): KubeObject;
  /** Replaces an object; 409 if `metadata.resourceVersion` is given and stale. With `status`, only status is taken over. */
  replace(resource: Resource, object: KubeObject, actor: string, options?: PatchOptions): KubeObject;
  patch(resource: Resource, ref: ObjectRef, patch: Patch, actor: string, options?: PatchOptions): KubeObject;
  remove(resource: Resource, ref: ObjectRef, actor: string, options?: Partial<RemoveOptions>): void;
  /** One page of a list as a client is answered; by namespace and name. */
  list(resource: Resource, options: ListOptions & Selection): ListPage;
  /** What a client's watch is sent; from version `0` or an empty one it begins with all objects as `added`. */
  watch(resource: Resource, options: WatchOptions & Selection): Observable<WatchEvent>;
  /** Every kind that is served. */
  kinds(): readonly KindOptions[];
  /** Every accepted write, synchronously as it is accepted. */
  readonly changes$: Observable<Change>;
  /** Reads the clock, in ms since the epoch (virtual under a TestScheduler). */
  now(): number;
  /** Registers a kind; writes to one that is not registered are answered 404. */
  register(kind: KindOptions): void;
  /** Runs before a write is accepted and may throw a KubeFailure (webhooks). */
  admit(resource: Resource, check: Admission): void;
  /** Answers PUT on a subresource such as `virtualmachines/start`. */
  subresource(group: string, plural: string, name: string, handle: SubresourceHandler): void;
  /** Calls a subresource handler; 404 if there is none. */
  call(group: string, plural: string, name: string, ref: ObjectRef, body: Json, actor: string): void;
  /** What a pod's container has written, cut as asked; 400 while it has not started. */
  log(pod: ObjectRef, options?: Partial<LogOptions>): string;
  /** Says who knows what containers have written. */
  logsFrom(source: LogSource): void;
  /** The port that the daemon gets: asynchronous, with latency and faults. `actor` names the caller in Change. */
  port(options?: PortOptions): KubeApi;
}

/** Selects by fields besides labels, as `kubectl` does to follow one object. */
export interface Selection {
  readonly fieldSelector?: string;
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date' | 'boolean' | 'number';
  readonly jsonPath: string;
  readonly priority?: number;
}

export interface KindOptions {
  readonly resource: Resource;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  /** The kind has a status subresource: spec writes leave status alone, status writes change nothing else. */
  readonly status?: boolean;
  readonly columns?: readonly PrinterColumn[];
  /** OpenAPI v3 schema: unknown fields are pruned, wrong ones refused (422), defaults filled in. */
  readonly schema?: Json;
  /** `metadata.generation` goes up when anything but metadata and status changes. */
  readonly generation?: boolean;
  /** Whether deletion waits: pods stay Terminating until the kubelet removes them. */
  readonly graceful?: boolean;
}

export type Admission = (write: {
  readonly operation: 'create' | 'update' | 'delete';
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
  readonly actor: string;
  readonly subresource: string | undefined;
}) => KubeObject | undefined;

export type SubresourceHandler = (ref: ObjectRef, body: Json, actor: string) => void;

/** All that a pod's container has written; undefined for a pod that the source does not know. */
export type LogSource = (pod: KubeObject) => string | undefined;

/** How one caller's requests fare. Absent or empty: each takes `latencyMs` and nothing goes wrong. */
export interface PortOptions {
  readonly actor?: string;
  /** Time from caller to server and back, each way, in ms. Default 1. */
  readonly latencyMs?: number;
  /** How long an event is on its way to a watcher, in ms. Default 1. */
  readonly watchLatencyMs?: number;
  /** Asked once per request: what shall happen to it. Undefined: nothing special. */
  readonly onRequest?: (request: RequestInfo) => RequestFault | undefined;
  /** Asked once per watch event that is delivered. Undefined: deliver as it is. */
  readonly onEvent?: (event: EventInfo) => EventFault | undefined;
}

export interface RequestInfo {
  /** 1 for the first request made through this port. */
  readonly number: number;
  readonly verb: 'list' | 'watch' | 'get' | 'create' | 'patch' | 'remove' | 'log';
  readonly resource: Resource;
  readonly ref: ObjectRef | undefined;
  readonly body: unknown;
}

export type RequestFault =
  /** Answered with this status; nothing is changed. */
  | { readonly kind: 'refuse'; readonly code: number; readonly reason: string; readonly retryAfterSeconds?: number }
  /** Takes this much longer each way. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Never answered, never carried out. */
  | { readonly kind: 'hang' }
  /** Carried out after `ms` (even if the caller has gone), but the caller only ever gets a KubeFailure `unknown`, at once or never. */
  | { readonly kind: 'land'; readonly ms: number; readonly answer: 'unknown' | 'never' };

export interface EventInfo {
  readonly resource: Resource;
  readonly type: 'added' | 'modified' | 'deleted' | 'bookmark';
  readonly object: KubeObject | undefined;
}

export type EventFault =
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'duplicate' }
  /** The connection breaks instead of delivering; resuming from the last version works. */
  | { readonly kind: 'cut' }
  /** The watch ends with 410 Gone: only a new list helps. */
  | { readonly kind: 'expire' };
