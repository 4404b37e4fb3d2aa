// The rules that the layout of the sources is held to (design §5), each a function from source text to complaints:
// layout.test.ts runs them over src/ and over made-up bad sources. They read text, not syntax trees; where that could
// err, it errs towards complaining.
import { posix } from 'node:path';

/** One file below src/; `path` is relative to the repository, with forward slashes. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

type Layer = 'core' | 'operators' | 'kube' | 'streams' | 'effects' | 'observe' | 'sim' | 'copy';

/** What a layer may import: parts of src/ (a folder with its content, or one file) and packages. */
interface Allowance {
  readonly own: readonly string[];
  readonly packages: readonly string[];
}

const nodeItself = 'node:';

const allowances: Readonly<Record<Layer, Allowance>> = {
  core: { own: [], packages: [] },
  operators: { own: [], packages: ['rxjs'] },
  kube: { own: ['core', 'operators'], packages: ['rxjs', 'zod', 'yaml', nodeItself] },
  streams: {
    own: ['core', 'operators', 'kube/api.ts', 'kube/resources.ts', 'kube/names.ts', 'kube/project.ts'],
    packages: ['rxjs'],
  },
  effects: {
    own: [
      'core',
      'operators',
      'kube/api.ts',
      'kube/resources.ts',
      'kube/names.ts',
      'kube/project.ts',
      // Manifests of what is made, and nothing else.
      'kube/copyPods.ts',
      'kube/copyKeys.ts',
      'kube/targetClaim.ts',
    ],
    packages: ['rxjs'],
  },
  observe: { own: ['core'], packages: ['pino', 'prom-client', 'rxjs', nodeItself] },
  sim: { own: ['core', 'operators', 'kube'], packages: ['rxjs', 'zod', 'yaml', nodeItself] },
  // What runs in the copy pods: programs of their own, which nobody imports.
  copy: { own: ['core'], packages: [nodeItself] },
};

/** Single files that may import more than their layer, and why. */
const granted: readonly { readonly path: string; readonly imports: string; readonly why: string }[] = [
  { path: 'src/core/storageMigration.ts', imports: 'zod', why: 'the schema of the custom resource is written once' },
];

/** Programs that put everything together: below these paths anything may be imported. */
const programs = ['src/sim/demo/', 'src/sim/conform/', 'src/sim/replay/', 'src/sim/bench/', 'src/sim/benchCopy/'];

/** Packages that speak to a real cluster: behind the port, in the real client, and nowhere else. */
const clientPackages = ['@kubernetes/client-node', 'undici'];
const clientFile = /^src\/kube\/client[A-Za-z]*\.ts$/;

const within = (path: string, places: readonly string[]): boolean =>
  places.some((place) => path === place || (place.endsWith('/') && path.startsWith(place)));

/** The text without comments. Strings stay, so that a `//` in one of them does not hide what follows. */
export const codeOf = (text: string): string =>
  text.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g,
    (token: string) => (token.startsWith('/') ? ' ' : token),
  );

/** Every module that a source names: static, for types, re-exported or dynamic. */
export const importsOf = (text: string): readonly string[] =>
  [...codeOf(text).matchAll(/\b(?:from|import|require)\s*\(?\s*(['"`])([^'"`\s]+)\1/g)].map((match) => match[2] ?? '');

/** The layer of a path below src/; undefined for files directly in src/, which join the layers. */
const layerOf = (path: string): Layer | undefined => {
  const [, folder, ...rest] = path.split('/');
  return rest.length > 0 && folder !== undefined && Object.hasOwn(allowances, folder) ? (folder as Layer) : undefined;
};

/** Imports against the directions of the design. `main.ts` and its neighbours, and the programs, may import all. */
export const forbiddenImports = ({ path, text }: Source): readonly string[] => {
  const layer = layerOf(path);
  if (layer === undefined || within(path, programs)) return [];
  const { own, packages } = allowances[layer];
  const isGranted = (imports: string): boolean =>
    granted.some((grant) => grant.path === path && grant.imports === imports);
  return importsOf(text).flatMap((specifier) => {
    if (specifier.startsWith('.')) {
      const target = posix.relative('src', posix.join(posix.dirname(path), specifier));
      const inReach = [layer, ...own].some((part) => target === part || target.startsWith(`${part}/`));
      return inReach || isGranted(target) ? [] : [`${path} imports ${target}, which ${layer} must not know`];
    }
    const known = packages.some((name) =>
      name === nodeItself ? specifier.startsWith(name) : specifier === name || specifier.startsWith(`${name}/`),
    );
    // Where these belong is a rule of its own.
    if (known || isGranted(specifier) || clientPackages.includes(specifier)) return [];
    return [`${path} imports the package ${specifier}, which ${layer} has no use for`];
  });
};

/** Imports of the packages that speak to a real cluster outside src/kube/client*.ts. */
export const strayClientImports = ({ path, text }: Source): readonly string[] =>
  clientFile.test(path)
    ? []
    : importsOf(text)
        .filter((specifier) => clientPackages.some((name) => specifier === name || specifier.startsWith(`${name}/`)))
        .map((specifier) => `${path} imports ${specifier}: only the client behind the port may`);

/**
 * Subscriptions outside the edges of the program: main.ts, the simulator, and the one place through which operators
 * listen inside a subscription that somebody else made.
 */
export const straySubscriptions = ({ path, text }: Source): readonly string[] =>
  within(path, ['src/main.ts', 'src/sim/', 'src/operators/listen.ts'])
    ? []
    : [...codeOf(text).matchAll(/\.subscribe\s*\(|\b(?:first|last)ValueFrom\s*(?:<[^>]*>)?\s*\(/g)].map(
        ([found]) => `${path} has ${found.trim()}: only main.ts and the simulator subscribe`,
      );

/** Who may read a clock, set a timer or roll dice, and why. Everybody else gets time from rxjs or as an argument. */
const clockOwners: Readonly<Record<string, string>> = {
  'src/main.ts': 'hands the real clock and the real dice to everything else',
  'src/observe/http.ts': 'gives open connections a grace when the server closes; nothing is decided by it',
  'src/copy/': 'programs that run in the copy pods in real time; nothing of the daemon is decided by it',
  'src/sim/demo/': 'a program that runs in real time',
  'src/sim/conform/': 'a program that runs in real time, against a real cluster',
  'src/sim/bench/': 'a program that measures real time',
  'src/sim/benchCopy/': 'a program that measures real time',
};

const clocks = [
  /\bDate\.now\b/g,
  /\bnew Date\b(?!\s*\(\s*[^\s)])/g,
  /\b(?:setTimeout|setInterval|setImmediate)\b/g,
  /\bAbortSignal\.timeout\b/g,
  /\bperformance\.now\b/g,
  /\bprocess\.hrtime\b/g,
  /\bMath\.random\b/g,
  /\brandom(?:UUID|Bytes|Int)\b/g,
  /\bgetRandomValues\b/g,
];

/** Reads of a clock, timers and randomness, wherever they stand. */
export const clocksIn = ({ path, text }: Source): readonly string[] => {
  const code = codeOf(text);
  return clocks.flatMap((clock) => [...code.matchAll(clock)].map(([found]) => `${path} uses ${found}`));
};

/** The same, except in the files that are named for it. In core nobody can be. */
export const strayClocks = (source: Source): readonly string[] =>
  layerOf(source.path) !== 'core' && within(source.path, Object.keys(clockOwners)) ? [] : clocksIn(source);

/** Files that are named as owners of a clock and do not use it any more. */
export const needlessClockOwners = (sources: readonly Source[]): readonly string[] =>
  sources
    .filter(({ path }) => Object.hasOwn(clockOwners, path))
    .filter((source) => clocksIn(source).length === 0)
    .map(({ path }) => `${path} may use a clock but does not: take it off the list`);

/** Grants that no file makes use of any more. */
export const needlessGrants = (sources: readonly Source[]): readonly string[] =>
  granted
    .filter(({ path, imports }) => {
      const source = sources.find((candidate) => candidate.path === path);
      const ending = imports.includes('/') ? `/${imports}` : imports;
      return !importsOf(source?.text ?? '').some((specifier) => specifier.endsWith(ending));
    })
    .map(({ path, imports }) => `${path} may import ${imports} but does not: take it off the list`);

/** Input, output and logging, which core has none of. */
export const effectsInCore = ({ path, text }: Source): readonly string[] =>
  layerOf(path) !== 'core'
    ? []
    : [...codeOf(text).matchAll(/\b(?:console|process)\.|\bfetch\s*\(/g)].map(
        ([found]) => `${path} uses ${found}: core is pure`,
      );

/** Files that do not say at their top what they are. */
export const missingOpening = ({ path, text }: Source): readonly string[] =>
  /^(?:#![^\n]*\n)?\s*(?:\/\/|\/\*)/.test(text) ? [] : [`${path} does not open with a comment that says what it is`];

/** Folders of src/ that the design does not have. */
export const unknownFolders = ({ path }: Source): readonly string[] =>
  path.split('/').length === 2 || layerOf(path) !== undefined
    ? []
    : [`${path} lies in a folder that the design does not have`];

/** Files allowed to do nothing but pass on, and why. */
const doors: Readonly<Record<string, string>> = {
  'src/kube/project.ts': 'the one door to the projections, one file per kind; streams may import the door only',
};

/** Files that only pass on what others export. */
export const onlyReexports = ({ path, text }: Source): readonly string[] => {
  if (Object.hasOwn(doors, path)) return [];
  const code = codeOf(text);
  const rest = code
    .replace(/\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*(?:from\s*(['"])[^'"\n]+\1)?\s*;?/g, '')
    .replace(/\bimport\s[^;]*?(['"])[^'"\n]+\1\s*;?/g, '');
  return rest.trim() === '' ? [`${path} only passes on what others export: import from them`] : [];
};

/** Operators that are not named after their export. */
export const misnamedOperators = ({ path, text }: Source): readonly string[] => {
  if (layerOf(path) !== 'operators') return [];
  const name = posix.basename(path, '.ts');
  const values = [...codeOf(text).matchAll(/\bexport\s+(?:const|function)\s+(\w+)/g)].map((match) => match[1]);
  return values.length === 1 && values[0] === name
    ? []
    : [`${path} exports ${values.join(', ') || 'nothing'}: an operator's file exports ${name} and no other value`];
};
