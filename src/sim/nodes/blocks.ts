// The blocks on every claim, and what every guest disk must hold: the newest write to each block that the guest was told
// is safe. Here blocks are immutable values in memory, which thousands of runs can afford; real copies keep real ones.

/** `writer` is `namespace/vm/volume`; undefined is a block never written. */
export interface Block {
  readonly writer: string;
  readonly sequence: number;
}

export type Content = readonly (Block | undefined)[];

export interface Blocks {
  /** Blocks per disk. */
  readonly size: number;
  /** What is on a claim (`namespace/claim`). */
  read(claim: string): Content;
  /** Copies blocks from `first` up to, not including, `last`. */
  copy(source: string, target: string, first: number, last: number): void;
  /** Makes what blocks hold useless, from `first` to the end. */
  spoil(claim: string, first: number): void;
  /** Takes what is on the claim, or a fresh installation if nothing is, for what this writer wrote last. */
  install(writer: string, claim: string): void;
  /** Lets a writer write so many further blocks, one after the other, round and round. */
  write(writer: string, claim: string, count: number): void;
  /** Blocks of a claim that are not, byte for byte, what the writer wrote last; 0 for a writer that never wrote. */
  missing(writer: string, claim: string): number;
  /** The same as far as a glance tells: cheap enough to be asked all the time. */
  glance(writer: string, claim: string): number;
}

/** Blocks that are not as wanted. */
export const differing = (wanted: Content, found: Content): number =>
  wanted.filter((block, index) => block?.writer !== found[index]?.writer || block?.sequence !== found[index]?.sequence)
    .length;

/** Keeps blocks, all empty at first. */
export const blocksOf = (size: number): Blocks => {
  const empty: Content = Array.from({ length: size }, () => undefined);
  const contents = new Map<string, Content>();
  const truths = new Map<string, Content>();
  const sequences = new Map<string, number>();
  const read = (claim: string): Content => contents.get(claim) ?? empty;
  const change = (claim: string, blockAt: (index: number, before: Block | undefined) => Block | undefined): void => {
    contents.set(
      claim,
      read(claim).map((block, index) => blockAt(index, block)),
    );
  };
  const missing = (writer: string, claim: string): number => {
    const truth = truths.get(writer);
    return truth === undefined ? 0 : differing(truth, read(claim));
  };
  return {
    size,
    read,
    copy: (source, target, first, last) => {
      const content = read(source);
      change(target, (index, before) => (index >= first && index < last ? content[index] : before));
    },
    spoil: (claim, first) => change(claim, (index, before) => (index >= first ? undefined : before)),
    install: (writer, claim) => {
      if (truths.has(writer)) return;
      const content = contents.get(claim) ?? Array.from({ length: size }, () => ({ writer, sequence: 0 }));
      contents.set(claim, content);
      truths.set(writer, content);
    },
    write: (writer, claim, count) => {
      const last = (sequences.get(writer) ?? 0) + count;
      sequences.set(writer, last);
      const truth = [...(truths.get(writer) ?? empty)];
      const content = [...read(claim)];
      for (let sequence = Math.max(last - count, last - size) + 1; sequence <= last; sequence += 1) {
        const block = { writer, sequence };
        truth[sequence % size] = block;
        content[sequence % size] = block;
      }
      truths.set(writer, truth);
      contents.set(claim, content);
    },
    missing,
    glance: missing,
  };
};
