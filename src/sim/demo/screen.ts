// Where the demo is shown. On a terminal a block of lines is drawn over itself as it changes; into a pipe only what
// stays is written, without colour and without cursor control.
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

export interface Screen {
  /** Columns to draw into. */
  readonly width: () => number;
  /** Lines that can be shown. */
  readonly height: () => number;
  /** Shows lines in the place of those shown before; nothing in a pipe or where they do not fit. */
  show(lines: readonly string[]): void;
  /** Writes lines to stay, in the place of what was shown. */
  print(lines: readonly string[]): void;
}

const widest = 140;
const pipeWidth = 100;
const narrowest = 60;
const usualHeight = 24;

const control = '\u001b[';

/** A screen on a stream. Lines that are shown must not be wider than `width()`. */
export const screenOn = (output: Output): Screen => {
  let shown = 0;
  /** Lines in the place of those shown before: each over the old one, and what is left of these wiped out. */
  const over = (lines: readonly string[]): string => {
    if (shown === 0) return lines.map((line) => `${line}\n`).join('');
    return `${control}${shown}A${lines.map((line) => `${line}${control}K\n`).join('')}${control}J`;
  };
  // What has scrolled out of the window, and lines that the terminal has broken, cannot be drawn over.
  const height = (): number =>
    output.isTTY === true && (output.columns ?? pipeWidth) >= narrowest ? (output.rows ?? usualHeight) - 1 : 0;
  return {
    width: () => (output.isTTY === true ? Math.min((output.columns ?? pipeWidth) - 1, widest) : pipeWidth),
    height,
    show: (lines) => {
      if (lines.length > height()) return;
      output.write(over(lines));
      shown = lines.length;
    },
    print: (lines) => {
      output.write(over(lines));
      shown = 0;
    },
  };
};
