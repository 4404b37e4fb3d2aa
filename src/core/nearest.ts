// Which of some words a mistyped one was meant to be.

/** How many letters must be changed, left out or put in to make one word of the other. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
};

/** The word nearest to `word`; undefined when none is near enough to be meant. */
export const nearest = (word: string, words: readonly string[]): string | undefined => {
  const near = words
    .map((candidate) => ({ candidate, away: distance(word, candidate) }))
    .filter(({ candidate, away }) => away <= Math.max(2, Math.min(word.length, candidate.length) / 3))
    .sort((a, b) => a.away - b.away);
  return near[0]?.candidate;
};
