// A server on the loopback interface for the tests of the client: answers by a function, keeps what it was asked and
// counts connections.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig, type User } from '@kubernetes/client-node';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export interface Loopback {
  readonly url: string;
  readonly received: Received[];
  /** How many connections were ever made. */
  connections(): number;
  /** Breaks all connections and stops. */
  stop(): Promise<void>;
}

export type Answer = (request: Received, response: ServerResponse) => void;

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

export const loopback = async (answer: Answer, certificate?: Certificate): Promise<Loopback> => {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://loopback');
      const text = Buffer.concat(chunks).toString('utf8');
      const one: Received = {
        method: request.method ?? '',
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      };
      received.push(one);
      answer(one, response);
    });
  };
  const server: Server = certificate === undefined ? createServer(handle) : createTlsServer({ ...certificate }, handle);
  server.on(certificate === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    received,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};

export const json = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
};

/** A kubeconfig for one server, as it would be loaded from a file. */
export const kubeConfigFor = (
  server: string,
  user: Partial<User> = {},
  cluster: { readonly caFile?: string; readonly proxyUrl?: string } = {},
): KubeConfig => {
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: 'test', server, skipTLSVerify: false, ...cluster },
    { name: 'tester', ...user },
  );
  return config;
};
