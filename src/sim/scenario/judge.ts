// Judges what was seen against a row of the table: every chain in order, nothing forbidden. Pure.
import type { Milestone } from './milestones.ts';
import type { Row } from './rows.ts';

/** The first link of a chain that was not seen after those before it; undefined when the whole chain was. */
const brokenLink = (chain: readonly string[], seen: readonly Milestone[]): string | undefined => {
  let from = 0;
  for (const link of chain) {
    const found = seen.findIndex((milestone, index) => index >= from && milestone.what === link);
    if (found < 0) return link;
    from = found + 1;
  }
  return undefined;
};

/** What is wrong, as sentences; none when the row was carried out as the table says. */
export const judge = (row: Row, seen: readonly Milestone[]): readonly string[] => [
  ...row.chains.flatMap((chain) => {
    const link = brokenLink(chain, seen);
    return link === undefined ? [] : [`"${link}" was not seen in its place in: ${chain.join(', ')}`];
  }),
  ...row.never
    .filter((what) => seen.some((milestone) => milestone.what === what))
    .map((what) => `"${what}" must not happen`),
];
