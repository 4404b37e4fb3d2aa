// Reads what rsync says at its end with --stats. Pure. Numbers that are missing are 0, so that nothing is believed that
// rsync did not say.

export interface Statistics {
  /** Files transferred: 1, unless the disk was skipped. */
  readonly files: number;
  readonly literal: number;
  readonly matched: number;
  /** Bytes over the network both ways, compressed, without what TLS adds. */
  readonly wireBytes: number;
}

const numberAfter = (text: string, label: string): number => {
  const line = text.split('\n').find((each) => each.startsWith(`${label}: `));
  const digits = /^[\d,]+/.exec(line?.slice(label.length + 2) ?? '')?.[0].replaceAll(',', '');
  return digits === undefined ? 0 : Number(digits);
};

export const statisticsOf = (output: string): Statistics => ({
  files: numberAfter(output, 'Number of regular files transferred'),
  literal: numberAfter(output, 'Literal data'),
  matched: numberAfter(output, 'Matched data'),
  wireBytes: numberAfter(output, 'Total bytes sent') + numberAfter(output, 'Total bytes received'),
});
