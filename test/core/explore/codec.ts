// Writes small values as a text and reads them back, so that a state of the explored world is its own key. Ids are
// renamed in the order in which they first occur: two states that differ in nothing but names have the same text.

/** The longest text, in characters. */
const longest = 4096;
/** The most ids that one value may hold; 0 stands for none. */
const mostIds = 256;

export interface Out {
  readonly bytes: Buffer;
  length: number;
  /** New name of each id; 0 where it has none yet. */
  readonly renamed: Uint8Array;
  /** Ids in the order of their new names, from 1 on. */
  order: number[];
  /** Of each `watched` in turn, whether it is behind. */
  behind: boolean[];
}

export interface In {
  readonly text: string;
  position: number;
  /** What is the same is one object: to be read only. */
  readonly shared: boolean;
}

export interface Codec<T> {
  readonly write: (value: T, out: Out) => void;
  readonly read: (input: In) => T;
}

const put = (out: Out, value: number): void => {
  out.bytes[out.length] = value;
  out.length += 1;
};

const take = (input: In): number => {
  const value = input.text.charCodeAt(input.position);
  input.position += 1;
  return value;
};

/** One of a few fixed values. */
export const oneOf = <const T extends readonly (string | number | boolean | undefined)[]>(
  ...values: T
): Codec<T[number]> => ({
  write: (value, out) => {
    const index = values.indexOf(value);
    if (index < 0) throw new Error(`the explored world has no ${value}`);
    put(out, index);
  },
  read: (input) => values[take(input)],
});

export const bit: Codec<boolean> = {
  write: (value, out) => put(out, value ? 1 : 0),
  read: (input) => take(input) === 1,
};

/** A whole number from 0 to 255. */
export const small: Codec<number> = { write: (value, out) => put(out, value), read: take };

/** A name of something; 0 is none. */
export const id: Codec<number> = {
  write: (value, out) => {
    if (value !== 0 && out.renamed[value] === 0) out.renamed[value] = out.order.push(value);
    put(out, out.renamed[value] ?? 0);
  },
  read: take,
};

export const maybe = <T>(codec: Codec<T>): Codec<T | undefined> => ({
  write: (value, out) => {
    put(out, value === undefined ? 0 : 1);
    if (value !== undefined) codec.write(value, out);
  },
  read: (input) => (take(input) === 0 ? undefined : codec.read(input)),
});

export const list = <T>(codec: Codec<T>): Codec<T[]> => ({
  write: (values, out) => {
    put(out, values.length);
    for (const value of values) codec.write(value, out);
  },
  read: (input) => {
    const values: T[] = [];
    for (let left = take(input); left > 0; left--) values.push(codec.read(input));
    return values;
  },
});

export const fields = <T extends object>(codecs: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> => {
  const entries = Object.entries(codecs) as [keyof T, Codec<T[keyof T]>][];
  const blank = Object.fromEntries(entries.map(([name]) => [name, undefined])) as T;
  return {
    write: (value, out) => {
      for (const [name, codec] of entries) codec.write(value[name], out);
    },
    read: (input) => {
      const value = { ...blank };
      for (const [name, codec] of entries) value[name] = codec.read(input);
      return value;
    },
  };
};

/** What there is and what is seen of it, written once while they are the same. */
export interface Watched<T> {
  real: T;
  seen: T;
}

export const watched = <T>(codec: Codec<T>): Codec<Watched<T>> => ({
  write: ({ real, seen }, out) => {
    const start = out.length;
    codec.write(real, out);
    const end = out.length;
    put(out, 1);
    codec.write(seen, out);
    const same =
      out.length - end - 1 === end - start && out.bytes.compare(out.bytes, start, end, end + 1, out.length) === 0;
    out.behind.push(!same);
    if (!same) return;
    out.bytes[end] = 0;
    out.length = end + 1;
  },
  read: (input) => {
    const start = input.position;
    const real = codec.read(input);
    if (take(input) === 1) return { real, seen: codec.read(input) };
    if (input.shared) return { real, seen: real };
    const after = input.position;
    input.position = start;
    const seen = codec.read(input);
    input.position = after;
    return { real, seen };
  },
});

const out: Out = { bytes: Buffer.alloc(longest), length: 0, renamed: new Uint8Array(mostIds), order: [], behind: [] };

export interface Encoded {
  readonly text: string;
  /** Its ids in the order of their names in the text. */
  readonly order: readonly number[];
  readonly behind: readonly boolean[];
}

/** A value as text. */
export const encode = <T>(codec: Codec<T>, value: T): Encoded => {
  out.length = 0;
  out.order = [];
  out.behind = [];
  codec.write(value, out);
  for (const renamed of out.order) out.renamed[renamed] = 0;
  return { text: out.bytes.toString('latin1', 0, out.length), order: out.order, behind: out.behind };
};

/** The value that was written as `text`, to be changed at will. */
export const decode = <T>(codec: Codec<T>, text: string): T => codec.read({ text, position: 0, shared: false });

/** The same, quicker: to be read only. */
export const peek = <T>(codec: Codec<T>, text: string): T => codec.read({ text, position: 0, shared: true });
