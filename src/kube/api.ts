// The port to a cluster: seven verbs, each a cold Observable that sends its request when subscribed and aborts it when
// unsubscribed. The real client (client.ts) and the simulated API server (sim/) stand behind it, so the whole daemon
// runs in virtual time. A request that the server answered with anything but success ends in a KubeFailure.
import type { Observable } from 'rxjs';

/** A kind of object as the API server addresses it. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** An object as it travels: only metadata is common, everything else is data to be checked before it is read. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface KubeMetadata {
  readonly name: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/** Names one object. `namespace` is absent for kinds without one. */
export interface ObjectRef {
  readonly namespace?: string;
  readonly name: string;
}

export interface ListOptions {
  /** Absent: every namespace. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Most objects in one page; absent: all at once. */
  readonly limit?: number;
  /** The continue token of the page before. */
  readonly continue?: string;
}

export interface ListPage {
  readonly resourceVersion: string;
  readonly items: readonly KubeObject[];
  /** Set when there is a further page. */
  readonly continue?: string;
}

export interface WatchOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  /** Events after this version are sent. */
  readonly resourceVersion: string;
  /** After this many seconds the server ends the watch in good order. */
  readonly timeoutSeconds: number;
}

/**
 * One line of a watch. Bookmarks are always asked for. `error` carries a Status that the server sent inside the
 * stream (410 Gone arrives this way as well as by status code).
 */
export type WatchEvent =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: KubeObject }
  | { readonly type: 'bookmark'; readonly resourceVersion: string }
  | { readonly type: 'error'; readonly failure: KubeFailure };

export type JsonPatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string };

export type Patch =
  | { readonly type: 'json'; readonly operations: readonly JsonPatchOperation[] }
  | { readonly type: 'merge'; readonly body: unknown }
  | { readonly type: 'apply'; readonly body: unknown; readonly fieldManager: string; readonly force: boolean };

export interface PatchOptions {
  readonly subresource?: 'status';
}

export interface RemoveOptions {
  /** The object is deleted only if it still has this uid (answered 409 otherwise). */
  readonly uid: string;
  readonly gracePeriodSeconds?: number;
}

/** How much of what a container wrote is asked for. */
export interface LogOptions {
  /** The last so many lines. */
  readonly tailLines: number;
  /** Of those the first so many bytes; the last line may then be cut off. */
  readonly limitBytes: number;
}

export interface KubeApi {
  /** One page of a list; emits once. */
  list(resource: Resource, options: ListOptions): Observable<ListPage>;
  /**
   * Events until the server ends the watch (completes) or the connection breaks (errors). A bookmark of the version
   * asked for may come first: the server has agreed to the watch.
   */
  watch(resource: Resource, options: WatchOptions): Observable<WatchEvent>;
  /** Read from the server, not from a cache; emits once. */
  get(resource: Resource, ref: ObjectRef): Observable<KubeObject>;
  /** Emits the object as the server made it; 409 AlreadyExists when the name is taken. */
  create(resource: Resource, object: KubeObject): Observable<KubeObject>;
  /**
   * Emits the object as it is after the patch. A `test` that does not hold is answered 422, a stale
   * `metadata.resourceVersion` in a merge patch 409 (contract §4.6).
   */
  patch(resource: Resource, ref: ObjectRef, patch: Patch, options?: PatchOptions): Observable<KubeObject>;
  /** Emits once when the deletion was accepted; the object may live on until its finalizers and containers are done. */
  remove(resource: Resource, ref: ObjectRef, options: RemoveOptions): Observable<void>;
  /** The last lines that the only container of a pod has written; emits once. 400 while it has not started. */
  log(pod: ObjectRef, options: LogOptions): Observable<string>;
}

/**
 * Why a request failed.
 * - `status`: the server answered; `code` and `reason` are its words, nothing was changed.
 * - `unreachable`: no connection was made, so nothing was changed.
 * - `unknown`: the request was sent and no answer came (time-out, reset). It may still take effect: read again.
 */
export type KubeFailureKind = 'status' | 'unreachable' | 'unknown';

export class KubeFailure extends Error {
  override readonly name = 'KubeFailure';
  readonly kind: KubeFailureKind;
  /** HTTP status, 0 unless `kind` is `status`. */
  readonly code: number;
  /** The server's machine-readable reason (`Conflict`, `NotFound`, `Expired` ...), empty if it gave none. */
  readonly reason: string;
  /** How long the server asked to wait (429, 503), in seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    kind: KubeFailureKind,
    message: string,
    details: { code?: number; reason?: string; retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.kind = kind;
    this.code = details.code ?? 0;
    this.reason = details.reason ?? '';
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}
