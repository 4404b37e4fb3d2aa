// The text of --help, made from the table of options.
import { environmentName, type Option, options } from './configOptions.ts';

const columns = 100;
const indent = '      ';

const wrap = (text: string): string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > columns) lines.push(`${indent}${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
};

const describe = ({ flag, kind, fallback, otherwise, help }: Option<unknown>): string[] => [
  `  --${flag}=<${kind.placeholder}>`,
  ...wrap(help),
  ...wrap(`Default: ${fallback ?? otherwise}. Environment: ${environmentName(flag)}`),
];

/** Usage, every option with its default, and what the environment is called. */
export const helpText = (): string => {
  const all: readonly Option<unknown>[] = Object.values(options);
  const groups = [...new Set(all.map(({ group }) => group))];
  return [
    'transship: moves the disks of KubeVirt virtual machines from one storage to another, live or offline.',
    '',
    'Usage: transship [options]',
    '',
    'An option on the command line counts more than the environment. Durations are written 500ms, 10s, 1m30s.',
    ...groups.flatMap((group) => ['', `${group}:`, ...all.filter((each) => each.group === group).flatMap(describe)]),
    '',
    'Other:',
    '  --help',
    `${indent}Show this text.`,
    '  --version',
    `${indent}Show the version.`,
    '',
  ].join('\n');
};
