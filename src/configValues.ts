// How the text of an option becomes a value. Each kind of value knows what it looks like in help and what is wrong with
// a text that is not one of it.

export type Parsed<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'mistake'; readonly message: string };

/** A kind of value: how it is shown in help and how it is read. */
export interface ValueKind<T> {
  readonly placeholder: string;
  /** `texts` holds every text that was given; a kind that is not repeatable gets one. */
  readonly parse: (texts: readonly string[]) => Parsed<T>;
  readonly repeatable: boolean;
}

const value = <T>(parsed: T): Parsed<T> => ({ kind: 'value', value: parsed });
const mistake = (message: string): Parsed<never> => ({ kind: 'mistake', message });

const single = <T>(placeholder: string, parse: (text: string) => Parsed<T>): ValueKind<T> => ({
  placeholder,
  repeatable: false,
  parse: ([text = '']) => parse(text),
});

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Reads 500ms, 10s, 1m30s, 1.5h as ms; undefined when it is none. */
const millisecondsOf = (text: string): number | undefined => {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return Math.round(parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0));
};

/** A duration as people write it, for example 90000 as 1m30s. */
export const durationText = (ms: number): string => {
  if (ms === 0) return '0';
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of Object.entries(unitMs).sort(([, a], [, b]) => b - a)) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount}${unit}`);
  }
  return parts.join('');
};

/** A span of time, in ms. */
export const duration = (leastMs: number, mostMs: number): ValueKind<number> =>
  single('duration', (text) => {
    const ms = millisecondsOf(text);
    if (ms === undefined) return mistake(`"${text}" is not a duration such as 500ms, 10s or 2m`);
    if (ms >= leastMs && ms <= mostMs) return value(ms);
    return mistake(`${text} is not between ${durationText(leastMs)} and ${durationText(mostMs)}`);
  });

export const wholeNumber = (least: number, most: number): ValueKind<number> =>
  single('number', (text) => {
    if (!/^\d{1,15}$/.test(text)) return mistake(`"${text}" is not a whole number`);
    const number = Number(text);
    return number >= least && number <= most ? value(number) : mistake(`${text} is not between ${least} and ${most}`);
  });

export const oneOf = <const T extends string>(choices: readonly T[]): ValueKind<T> =>
  single(choices.join('|'), (text) => {
    const choice = choices.find((each) => each === text);
    return choice === undefined ? mistake(`"${text}" is not one of ${choices.join(', ')}`) : value(choice);
  });

export const nonEmptyText = (placeholder: string): ValueKind<string> =>
  single(placeholder, (text) => (text.trim() === '' ? mistake('is empty') : value(text)));

/** The same as an option that may be absent. */
export const optional = <T>(kind: ValueKind<T>): ValueKind<T | undefined> => kind;

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Names of namespaces, by commas or repetition, each once. */
export const namespaceNames: ValueKind<readonly string[]> = {
  placeholder: 'name,…',
  repeatable: true,
  parse: (texts) => {
    const names = texts.flatMap((text) => text.split(',')).map((name) => name.trim());
    const wrong = names.filter((name) => !dnsLabel.test(name));
    if (wrong.length === 0) return value([...new Set(names)]);
    return mistake(`${wrong.map((name) => `"${name}"`).join(', ')} is not the name of a namespace`);
  },
};

export interface HostAndPort {
  /** Absent: every address, of whichever of IPv4 and IPv6 there is. */
  readonly host?: string;
  readonly port: number;
}

/** Where to listen: host:port, [::1]:port, or :port for every address. */
export const hostAndPort: ValueKind<HostAndPort> = single('host:port', (text) => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return mistake(`"${text}" is not an address such as 127.0.0.1:8080 or :8080`);
  const host = match[1] ?? match[2] ?? '';
  return value(host === '' ? { port } : { host, port });
});
