// Who we are to the API server, asked anew for each request: the client library re-reads tokens and certificates that
// rotate, runs exec plugins and refreshes OIDC tokens. Only its KubeConfig is used for that, behind this interface.
import type { RequestOptions } from 'node:https';
import type { TlsOptions } from './clientTransport.ts';

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsOptions;
}

/** The part of the client library's KubeConfig that is needed here. */
export interface CredentialSource {
  applyToHTTPSOptions(options: RequestOptions): Promise<void>;
}

const tlsFields = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'servername', 'rejectUnauthorized'] as const;

/** Reads headers and certificates for one request; rejects when a file is missing or a plugin fails. */
export const credentialsOf = async (source: CredentialSource): Promise<Credentials> => {
  const options: RequestOptions = {};
  await source.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const given = tlsFields.filter((field) => options[field] !== undefined && options[field] !== null);
  return { headers, tls: Object.fromEntries(given.map((field) => [field, options[field]])) };
};
