// Colours for a terminal, behind a function, so that what is drawn is the same text with and without them.
import { styleText } from 'node:util';

export type Style = 'plain' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

/** Puts a style on a text. */
export type Paint = (style: Style, text: string) => string;

/** Leaves every text as it is. */
export const withoutColour: Paint = (_, text) => text;

const withColour: Paint = (style, text) =>
  style === 'plain' || text === '' ? text : styleText(style, text, { validateStream: false });

/** Colours only on a terminal, and not when NO_COLOR is set to anything. */
export const paintFor = (
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Paint => (stream.isTTY === true && !environment['NO_COLOR'] ? withColour : withoutColour);
