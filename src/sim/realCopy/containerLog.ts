// What a container has written, whole lines in the order in which they came, from both of its outputs. The oldest go
// when there are too many.

export interface ContainerLog {
  /** Takes what came from an output; each call of `output` is one output, and lines are put together per output. */
  output(): (text: string) => void;
  /** Everything that is kept. */
  text(): string;
  /** Its end, for a container that failed without last words: as much as kubelets take. */
  lastWords(): string;
}

const most = { lines: 5000 };
const lastWords = { lines: 80, bytes: 2048 };

/** An empty log. */
export const containerLog = (): ContainerLog => {
  const lines: string[] = [];
  const text = (from: readonly string[]): string => from.map((line) => `${line}\n`).join('');
  return {
    output: () => {
      let begun = '';
      return (more) => {
        const parts = (begun + more).split('\n');
        begun = parts.pop() ?? '';
        lines.push(...parts);
        if (lines.length > most.lines) lines.splice(0, lines.length - most.lines);
      };
    },
    text: () => text(lines),
    lastWords: () => text(lines.slice(-lastWords.lines)).slice(-lastWords.bytes),
  };
};
