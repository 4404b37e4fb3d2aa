// The part of JSONPath that printer columns use: `.a.b`, `['a.b/c']`, `.a\.b`, `[0]`, `[*]` and `[?(@.type=="Ready")]`.
import type { Json } from '../cluster.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'every' }
  | { readonly kind: 'where'; readonly path: readonly Step[]; readonly equals: string };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pieces =
  /\.?\[\?\(@((?:\.[\w\\./-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)')\)\]|\.?\[(?:'([^']*)'|"([^"]*)")\]|\.?\[(-?\d+)\]|\.?\[\*\]|\.((?:\\.|[^.[\\])+)/gy;

const stepsOf = (path: string): readonly Step[] => {
  const steps: Step[] = [];
  let read = 0;
  for (const found of path.matchAll(pieces)) {
    const [whole, where, double, single, quoted, doubleQuoted, index, field] = found;
    read += whole.length;
    const name = quoted ?? doubleQuoted ?? field?.replaceAll(/\\(.)/g, '$1');
    if (where !== undefined) steps.push({ kind: 'where', path: stepsOf(where), equals: double ?? single ?? '' });
    else if (name !== undefined) steps.push({ kind: 'field', name });
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) });
    else steps.push({ kind: 'every' });
  }
  if (read !== path.length)
    throw new Error(`cannot read the JSON path ${path}, it goes wrong after ${path.slice(0, read)}`);
  return steps;
};

const valuesOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
};

const take = (value: unknown, step: Step): readonly unknown[] => {
  switch (step.kind) {
    case 'field':
      return isObject(value) && value[step.name] !== undefined ? [value[step.name]] : [];
    case 'index':
      return Array.isArray(value) && value.at(step.index) !== undefined ? [value.at(step.index)] : [];
    case 'every':
      return valuesOf(value);
    case 'where':
      return valuesOf(value).filter((item) => follow(item, step.path).some((found) => String(found) === step.equals));
  }
};

const follow = (value: unknown, steps: readonly Step[]): readonly unknown[] =>
  steps.reduce<readonly unknown[]>((found, step) => found.flatMap((one) => take(one, step)), [value]);

/** All values at the path; throws when the path cannot be read. */
export const jsonPath = (path: string): ((value: unknown) => readonly unknown[]) => {
  const steps = stepsOf(path);
  return (value) => follow(value, steps);
};
