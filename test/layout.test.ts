// Holds the sources to the layout of the design: who may import whom, where the one subscription is, who has a clock.
// Every rule is first shown a bad source, so that we know it can fail.
import { globSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import {
  codeOf,
  effectsInCore,
  forbiddenImports,
  importsOf,
  misnamedOperators,
  missingOpening,
  needlessClockOwners,
  needlessGrants,
  onlyReexports,
  type Source,
  strayClientImports,
  strayClocks,
  straySubscriptions,
  unknownFolders,
} from './layoutRules.ts';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));

const filesOf = (pattern: string): readonly Source[] =>
  globSync(pattern, { cwd: repository })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(`${repository}/${path}`, 'utf8') }));

const sources = filesOf('src/**/*.ts');
const tests = filesOf('test/**/*.ts');

type Rule = (source: Source) => readonly string[];

const complaints = (rule: Rule): readonly string[] => sources.flatMap(rule);

/** Whether a rule complains about `text` if it stood at `path`. */
const refuses = (rule: Rule, path: string, text: string): boolean => rule({ path, text }).length > 0;

test('there are sources to hold to the rules', () => {
  expect(sources.map(({ path }) => path)).toContain('src/kube/api.ts');
  expect(sources.length).toBeGreaterThan(50);
});

describe('reading a source', () => {
  test('comments are left out, strings are not taken for comments', () => {
    expect(codeOf("const a = 'http://x'; // Date.now()\n/* Math.random() */ b()")).toBe(
      "const a = 'http://x';  \n  b()",
    );
  });

  test('every way to import is found', () => {
    const text = [
      "import 'a';",
      "import type { B } from 'b';",
      "import {\n  c,\n  d,\n} from 'c';",
      "export { e } from 'e';",
      "const f = await import('f');",
      "// import 'comment';",
      "type G = import('g').G;",
      "const text = ['where it comes from', 'h'];",
    ].join('\n');
    expect(importsOf(text)).toEqual(['a', 'b', 'c', 'e', 'f', 'g']);
  });
});

describe('imports go in the directions of the design', () => {
  const imported = (path: string, specifier: string) =>
    refuses(forbiddenImports, path, `import { x } from '${specifier}';`);

  test.each([
    ['src/core/mode.ts', 'rxjs'],
    ['src/core/mode.ts', 'zod'],
    ['src/core/mode.ts', 'node:fs'],
    ['src/core/mode.ts', '../kube/api.ts'],
    ['src/operators/settle.ts', '../core/mode.ts'],
    ['src/operators/settle.ts', 'node:util'],
    ['src/kube/names.ts', '../streams/store.ts'],
    ['src/kube/project/pod.ts', '../../streams/store.ts'],
    ['src/kube/names.ts', '../sim/cluster.ts'],
    ['src/streams/store.ts', '../effects/execute.ts'],
    ['src/streams/store.ts', '../kube/client.ts'],
    ['src/streams/store.ts', '../kube/copyPods.ts'],
    ['src/streams/store.ts', '../observe/log.ts'],
    ['src/streams/store.ts', 'pino'],
    ['src/effects/execute.ts', '../streams/store.ts'],
    ['src/effects/execute.ts', '../kube/client.ts'],
    ['src/effects/cancel.ts', '../kube/crd.ts'],
    ['src/effects/execute.ts', '../main.ts'],
    ['src/observe/log.ts', '../kube/api.ts'],
    ['src/sim/cluster.ts', '../streams/store.ts'],
    ['src/sim/kubevirt/model.ts', '../../effects/execute.ts'],
    ['src/sim/cluster.ts', '../core/../main.ts'],
    ['src/sim/demonstrate.ts', '../daemon.ts'],
    ['src/copy/client.ts', 'rxjs'],
    ['src/copy/client.ts', '../kube/names.ts'],
    ['src/copy/client.ts', '../sim/cluster.ts'],
    ['src/sim/cluster.ts', '../copy/main.ts'],
    ['src/kube/copyPods.ts', '../copy/paths.ts'],
    ['src/core/copyResult.ts', '../copy/endRecord.ts'],
  ])('%s must not import %s', (path, specifier) => {
    expect(imported(path, specifier)).toBe(true);
  });

  test.each([
    ['src/core/mode.ts', './facts.ts'],
    ['src/core/storageMigration.ts', 'zod'],
    ['src/operators/settle.ts', 'rxjs'],
    ['src/operators/settle.ts', './listen.ts'],
    ['src/kube/project/pod.ts', '../../core/objects.ts'],
    ['src/kube/clientLines.ts', '../operators/listen.ts'],
    ['src/streams/store.ts', '../kube/project.ts'],
    ['src/effects/execute.ts', '../kube/copyPods.ts'],
    ['src/sim/kubevirt/model.ts', '../../kube/api.ts'],
    ['src/sim/demo/main.ts', '../../daemon.ts'],
    ['src/copy/client.ts', 'node:child_process'],
    ['src/copy/endRecord.ts', '../core/copyEndRecord.ts'],
    ['src/main.ts', './effects/execute.ts'],
  ])('%s may import %s', (path, specifier) => {
    expect(imported(path, specifier)).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(forbiddenImports)).toEqual([]);
  });

  test('and no exception is kept that nobody needs', () => {
    expect(needlessGrants([]).length).toBeGreaterThan(0);
    expect(needlessGrants(sources)).toEqual([]);
  });
});

describe('only the client behind the port speaks to a real cluster', () => {
  test('a stray import is found', () => {
    expect(refuses(strayClientImports, 'src/kube/api.ts', "import { Pool } from 'undici';")).toBe(true);
    expect(refuses(strayClientImports, 'src/main.ts', "import type { V1Pod } from '@kubernetes/client-node';")).toBe(
      true,
    );
    expect(refuses(strayClientImports, 'src/main.ts', "await import('@kubernetes/client-node/dist/watch.js')")).toBe(
      true,
    );
    expect(refuses(strayClientImports, 'src/sim/client.ts', "import { Pool } from 'undici';")).toBe(true);
    expect(refuses(strayClientImports, 'src/kube/clientSend.ts', "import { Pool } from 'undici';")).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(strayClientImports)).toEqual([]);
  });
});

describe('only main.ts and the simulator subscribe', () => {
  test('a stray subscription is found', () => {
    expect(refuses(straySubscriptions, 'src/streams/store.ts', 'events$\n  .subscribe((event) => fold(event));')).toBe(
      true,
    );
    expect(refuses(straySubscriptions, 'src/effects/run.ts', 'await firstValueFrom(create$);')).toBe(true);
    expect(refuses(straySubscriptions, 'src/effects/run.ts', 'await lastValueFrom<string>(create$);')).toBe(true);
    expect(refuses(straySubscriptions, 'src/operators/settle.ts', 'source.subscribe(subscriber);')).toBe(true);
    expect(refuses(straySubscriptions, 'src/streams/store.ts', '// then .subscribe() to it')).toBe(false);
    expect(refuses(straySubscriptions, 'src/main.ts', 'daemon$.subscribe();')).toBe(false);
    expect(refuses(straySubscriptions, 'src/sim/kubevirt/model.ts', 'changes$.subscribe();')).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(straySubscriptions)).toEqual([]);
  });
});

describe('clocks, timers and dice are only in the files named for them', () => {
  test.each([
    'Date.now()',
    'new Date()',
    'new Date( )',
    'new Date',
    'setTimeout(stop, 1)',
    'setInterval(tick, 1)',
    'setImmediate(tick)',
    'AbortSignal.timeout(5)',
    'performance.now()',
    'process.hrtime.bigint()',
    'Math.random()',
    'randomUUID()',
    'crypto.getRandomValues(bytes)',
  ])('%s is found', (code) => {
    expect(refuses(strayClocks, 'src/streams/store.ts', `const x = ${code};`)).toBe(true);
    expect(refuses(strayClocks, 'src/core/mode.ts', `const x = ${code};`)).toBe(true);
    expect(refuses(strayClocks, 'src/main.ts', `const x = ${code};`)).toBe(false);
  });

  test('a time that is given, and rxjs timers, are no clocks', () => {
    expect(refuses(strayClocks, 'src/core/status.ts', 'const at = new Date(nowMs).toISOString();')).toBe(false);
    expect(refuses(strayClocks, 'src/streams/store.ts', 'timer(5); asyncScheduler.now();')).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(strayClocks)).toEqual([]);
  });

  test('and no file is named that does not need it', () => {
    expect(needlessClockOwners([{ path: 'src/main.ts', text: '// Nothing.' }]).length).toBe(1);
    expect(needlessClockOwners(sources)).toEqual([]);
  });
});

describe('core has no input, output or logger', () => {
  test('each is found', () => {
    for (const code of ["console.log('x')", 'process.env', 'fetch(url)']) {
      expect(refuses(effectsInCore, 'src/core/mode.ts', code)).toBe(true);
    }
    expect(refuses(effectsInCore, 'src/core/mode.ts', 'const process = 1; prefetch(url);')).toBe(false);
    expect(refuses(effectsInCore, 'src/main.ts', 'process.exit(1)')).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(effectsInCore)).toEqual([]);
  });
});

describe('every file says what it is, and lies where the design has it', () => {
  test('a file without an opening comment is found', () => {
    expect(refuses(missingOpening, 'src/main.ts', "import 'x';\n// later")).toBe(true);
    expect(refuses(missingOpening, 'src/main.ts', '#!/usr/bin/env node\n// The command line.')).toBe(false);
  });

  test('a folder that the design does not have is found', () => {
    expect(refuses(unknownFolders, 'src/utils/misc.ts', '')).toBe(true);
    expect(refuses(unknownFolders, 'src/toString/misc.ts', '')).toBe(true);
    expect(refuses(unknownFolders, 'src/main.ts', '')).toBe(false);
    expect(refuses(unknownFolders, 'src/kube/project/pod.ts', '')).toBe(false);
  });

  test('in all sources', () => {
    expect([...sources, ...tests].flatMap(missingOpening)).toEqual([]);
    expect(complaints(unknownFolders)).toEqual([]);
  });
});

describe('no file only passes on what others export', () => {
  test('such a file is found', () => {
    expect(refuses(onlyReexports, 'src/kube/index.ts', "// All.\nexport * from './api.ts';")).toBe(true);
    expect(
      refuses(onlyReexports, 'src/kube/index.ts', "export type { A } from './a.ts';\nexport { b } from './b.ts';"),
    ).toBe(true);
    expect(refuses(onlyReexports, 'src/kube/index.ts', "import { a } from './a.ts';\nexport { a };")).toBe(true);
    expect(refuses(onlyReexports, 'src/kube/one.ts', "export { a } from './a.ts';\nexport const b = 1;")).toBe(false);
    expect(refuses(onlyReexports, 'src/kube/program.ts', "import { run } from './a.ts';\nrun();")).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(onlyReexports)).toEqual([]);
  });
});

describe('an operator is named after its file', () => {
  test('another name, or a second value, is found', () => {
    expect(refuses(misnamedOperators, 'src/operators/settle.ts', 'export const calm = 1;')).toBe(true);
    expect(
      refuses(misnamedOperators, 'src/operators/settle.ts', 'export const settle = 1;\nexport const more = 2;'),
    ).toBe(true);
    expect(
      refuses(misnamedOperators, 'src/operators/settle.ts', 'export interface A {}\nexport const settle = 1;'),
    ).toBe(false);
  });

  test('in all sources', () => {
    expect(complaints(misnamedOperators)).toEqual([]);
  });
});
