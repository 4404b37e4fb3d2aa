// How both benchmarks read their command lines: taken apart by Node, and whatever is wrong is a value. Pure.
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { errorMessage } from '../../core/errorMessage.ts';

/** What the arguments after a program's name ask for. */
export type CommandLine<Wish> = { readonly kind: 'run'; readonly wish: Wish } | { readonly kind: 'help' } | Mistake;

export interface Mistake {
  readonly kind: 'mistake';
  /** For people; names the option. */
  readonly message: string;
}

type Options = NonNullable<ParseArgsConfig['options']> & { readonly help: { readonly type: 'boolean' } };
type Values<Own extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: Own }>>['values'];

export const mistake = (message: string): Mistake => ({ kind: 'mistake', message });

/** Reads the values of `options` and lets `wishFrom` judge them; `--help` comes before every mistake in a value. */
export const readArguments = <Own extends Options, Wish>(
  args: readonly string[],
  options: Own,
  wishFrom: (values: Values<Own>) => CommandLine<Wish>,
): CommandLine<Wish> => {
  let values: Values<Own>;
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    return mistake(errorMessage(error));
  }
  return 'help' in values && values.help === true ? { kind: 'help' } : wishFrom(values);
};
