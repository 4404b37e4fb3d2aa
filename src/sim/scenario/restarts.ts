// What a row comes to when the stop that people choose does not stop the machine: KubeVirt starts it again by itself
// (contract §4.1). It must then be reverted in time, boot on its source, and be moved live in the end.

import type { Row } from './rows.ts';
import type { Variation } from './variation.ts';

/** Whether KubeVirt starts a machine that ends in this way again. */
const startsAgain = ({ strategyOn, stopBy }: Variation): boolean => {
  if (strategyOn === 'Always' || strategyOn === 'running') return stopBy !== 'api';
  return strategyOn === 'RerunOnFailure' && stopBy === 'guest crash';
};

const throughARestart = (name: string): readonly string[] => [
  `live migration of ${name} begins`,
  `${name} reverted`,
  `VMI of ${name} created`,
  `live migration of ${name} begins`,
  `${name} switched over`,
  `${name} is done`,
];

/** The row with what is expected under `variation`: the row itself unless a machine starts again. */
export const rowAs = (row: Row, variation: Variation): Row => {
  const again = row.machines.filter(({ name, on }) => on && row.changed.includes(name)).map(({ name }) => name);
  if (again.length === 0 || !startsAgain(variation)) return row;
  const isOfOthers = (chain: readonly string[]): boolean =>
    chain.every((link) => again.every((name) => !` ${link} `.includes(` ${name} `))) &&
    !chain.includes('server 2 created');
  return {
    ...row,
    chains: [...row.chains.filter(isOfOthers), ...again.map(throughARestart)],
    never: [
      ...row.never.filter((what) => again.every((name) => what !== `${name} switched over`)),
      ...again.flatMap((name) => [`client of ${name} created`, `${name} cut over`]),
    ],
  };
};
