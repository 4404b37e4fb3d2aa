// The connections to the API server, kept alive and shared by all requests; the client library opens a new one, with a
// TLS handshake, for each (dependencies §6). Made anew only when certificates change, which happens when they rotate.
import { isDeepStrictEqual } from 'node:util';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';

/** What a connection is made with. */
export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly pfx?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface TransportOptions {
  readonly origin: string;
  readonly proxyUrl: string | undefined;
  readonly connectTimeoutMs: number;
  /** Most connections for requests; further requests wait. Watches have their own, one each. */
  readonly maxConnections: number;
}

interface Pools {
  readonly tls: TlsOptions;
  readonly requests: Dispatcher;
  readonly watches: Dispatcher;
}

const keepAliveMs = 60_000;
const tcpKeepAliveMs = 30_000;

const makePool = (options: TransportOptions, tls: TlsOptions, connections: number | null): Dispatcher => {
  const { origin, proxyUrl, connectTimeoutMs } = options;
  const common = {
    connections,
    pipelining: 1,
    allowH2: false,
    // Time limits are ours, for a watch is silent for long and a request may wait for a connection.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
  };
  const connect = { ...tls, timeout: connectTimeoutMs, keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs };
  if (proxyUrl === undefined) return new Pool(origin, { ...common, connect });
  return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: { ...tls, timeout: connectTimeoutMs } });
};

/** Hands out the pools for a request with these certificates, and closes those made with others as they fall idle. */
export const transport = (options: TransportOptions) => {
  let pools: Pools | undefined;
  const closing = new Set<Promise<unknown>>();

  const retire = ({ requests, watches }: Pools): void => {
    const closed = Promise.all([requests.close(), watches.close()]).catch(() => undefined);
    closing.add(closed);
    void closed.then(() => closing.delete(closed));
  };

  return {
    pools: (tls: TlsOptions): Pools => {
      if (pools !== undefined && isDeepStrictEqual(pools.tls, tls)) return pools;
      if (pools !== undefined) retire(pools);
      pools = {
        tls,
        requests: makePool(options, tls, options.maxConnections),
        watches: makePool(options, tls, null),
      };
      return pools;
    },
    /** Waits for requests under way; watches must have been unsubscribed. */
    close: async (): Promise<void> => {
      if (pools !== undefined) retire(pools);
      pools = undefined;
      await Promise.all(closing);
    },
  };
};
