// The command line taken apart: which texts were given for which flag. What the texts mean is not judged here.

export interface CommandLine {
  readonly wants: 'run' | 'help' | 'version';
  /** Texts by flag, in order. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly mistakes: readonly string[];
}

/** Takes apart `--flag value` and `--flag=value`. `unknown` says what is wrong with a flag that does not exist. */
export const commandLineOf = (
  argv: readonly string[],
  flags: ReadonlySet<string>,
  unknown: (flag: string) => string,
): CommandLine => {
  const given = new Map<string, string[]>();
  const mistakes: string[] = [];
  let wants: CommandLine['wants'] = 'run';
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [, flag = '', , inline] = /^--([^=]*)(=([\s\S]*))?$/.exec(word) ?? [];
    if (word === '--help' || word === '-h') wants = 'help';
    else if (word === '--version') wants = wants === 'help' ? wants : 'version';
    else if (flag === '') mistakes.push(`"${word}" is not an option: options begin with --`);
    else if (!flags.has(flag)) {
      mistakes.push(unknown(flag));
      // Its value, if it has one, is no mistake of its own.
      if (inline === undefined && words[0]?.startsWith('-') === false) words.shift();
    } else {
      const text = inline ?? (words[0]?.startsWith('--') === false ? words.shift() : undefined);
      if (text === undefined) mistakes.push(`--${flag}: has no value`);
      else given.set(flag, [...(given.get(flag) ?? []), text]);
    }
  }
  return { wants, given, mistakes };
};
