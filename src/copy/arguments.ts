// The command lines of both programs, read with distrust: every value ends up in a configuration file or on another
// command line. Pure; every mistake is told at once.
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { errorMessage } from '../core/errorMessage.ts';
import type { DiskKind } from './paths.ts';

export interface ServerArguments {
  /** Where to listen: the pod's own address, and no other. */
  readonly address: string;
  readonly disks: readonly { readonly name: string; readonly kind: DiskKind }[];
  readonly timeoutSeconds: number;
}

export interface ClientArguments {
  readonly server: string;
  readonly module: string;
  readonly source: DiskKind;
  readonly target: DiskKind;
  /** Nothing on the target is of use: a device is discarded first. */
  readonly fresh: boolean;
  readonly bandwidthLimit: number | undefined;
  readonly verify: boolean;
  readonly timeoutSeconds: number;
}

export type Parsed<T> =
  | { readonly kind: 'arguments'; readonly arguments: T }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly string[] };

/** How long the other side may be silent. Shorter, and a long flush would be taken for a dead peer (data plane §3). */
const usualTimeoutSeconds = 300;

/** A name as Kubernetes gives to claims (RFC 1123 subdomain). */
const isName = (text: string): boolean =>
  text.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text);

/** No zone: it would be the other machine's. */
const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

const kindIn = (text: string | undefined): DiskKind | undefined =>
  text === 'file' || text === 'block' ? text : undefined;

const countIn = (text: string): number | undefined => {
  const count = /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(count) ? count : undefined;
};

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;
type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

/** Takes the words apart; a word that nobody knows, or a missing value, is a mistake. */
const valuesOf = (words: readonly string[], options: Options, mistakes: string[]): Values => {
  try {
    return parseArgs({ args: [...words], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    mistakes.push(errorMessage(error));
    return {};
  }
};

const textIn = (values: Values, name: string): string => {
  const value = values[name];
  return typeof value === 'string' ? value : '';
};

const timeoutIn = (values: Values, mistakes: string[]): number => {
  if (values['timeout'] === undefined) return usualTimeoutSeconds;
  const seconds = countIn(textIn(values, 'timeout'));
  if (seconds === undefined || seconds > 86_400) mistakes.push('--timeout: expected seconds, 1 to 86400');
  return seconds ?? usualTimeoutSeconds;
};

const parsed = <T>(value: T, mistakes: readonly string[]): Parsed<T> =>
  mistakes.length === 0 ? { kind: 'arguments', arguments: value } : { kind: 'mistakes', mistakes };

/** `server --disk=NAME:file|block ... [--timeout=SECONDS]`, and the pod's address. */
export const parseServer = (words: readonly string[], podIp: string | undefined): Parsed<ServerArguments> => {
  const mistakes: string[] = [];
  const values = valuesOf(words, { disk: { type: 'string', multiple: true }, timeout: { type: 'string' } }, mistakes);
  const texts = Array.isArray(values['disk']) ? values['disk'] : [];
  const disks = texts.flatMap((text) => {
    const [, name = '', kindText] = /^([^:]*):([^:]*)$/.exec(String(text)) ?? [];
    const kind = kindIn(kindText);
    if (isName(name) && kind !== undefined) return [{ name, kind }];
    mistakes.push(`--disk: expected NAME:file or NAME:block, found ${JSON.stringify(text)}`);
    return [];
  });
  if (texts.length === 0 && mistakes.length === 0) mistakes.push('--disk: expected at least one');
  if (new Set(disks.map(({ name }) => name)).size < disks.length) mistakes.push('--disk: the same name twice');
  if (!isAddress(podIp ?? '')) mistakes.push(`POD_IP: expected an IP address, found ${JSON.stringify(podIp ?? '')}`);
  const timeoutSeconds = timeoutIn(values, mistakes);
  return parsed({ address: podIp ?? '', disks, timeoutSeconds }, mistakes);
};

/** `client --server=ADDRESS --module=NAME --source=KIND --target=KIND [...]`. */
export const parseClient = (words: readonly string[]): Parsed<ClientArguments> => {
  const mistakes: string[] = [];
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const values = valuesOf(
    words,
    {
      ...{ server: text, module: text, source: text, target: text, timeout: text },
      ...{ fresh: flag, verify: flag, 'bandwidth-limit': text },
    },
    mistakes,
  );
  if (mistakes.length > 0) return { kind: 'mistakes', mistakes };
  const [server, module] = [textIn(values, 'server'), textIn(values, 'module')];
  if (!isAddress(server)) mistakes.push(`--server: expected an IP address, found ${JSON.stringify(server)}`);
  if (!isName(module)) mistakes.push(`--module: expected a name, found ${JSON.stringify(module)}`);
  const [source, target] = [kindIn(textIn(values, 'source')), kindIn(textIn(values, 'target'))];
  if (source === undefined) mistakes.push('--source: expected file or block');
  if (target === undefined) mistakes.push('--target: expected file or block');
  const limitText = values['bandwidth-limit'];
  const bandwidthLimit = limitText === undefined ? undefined : countIn(String(limitText));
  if (limitText !== undefined && bandwidthLimit === undefined) {
    mistakes.push('--bandwidth-limit: expected whole bytes per second, more than 0');
  }
  const timeoutSeconds = timeoutIn(values, mistakes);
  const [fresh, verify] = [values['fresh'] === true, values['verify'] === true];
  return parsed(
    {
      ...{ server, module, source: source ?? 'file', target: target ?? 'file' },
      ...{ fresh, bandwidthLimit, verify, timeoutSeconds },
    },
    mistakes,
  );
};
