// How the tests are run: no test depends on time, so the limit only catches one that never ends. What runs against the
// clock, because real programs or a process of Transship take part, comes first and has the machine to itself; what only
// computes comes after it.
import { configDefaults, defineConfig } from 'vitest/config';
import { seedsReporter } from './test/sim/seedsReporter.ts';
import { summaryReporter } from './test/summaryReporter.ts';

const againstTheClock = [
  'test/copy/**/*.test.ts',
  'test/main/**/*.test.ts',
  'test/{deploy,sim}/kubectl.test.ts',
  'test/kube/client*.test.ts',
  'test/observe/http.test.ts',
  'test/sim/{bench,demo,realCop,podLogs,serveHttp,replayProgram}*.test.ts',
];

export default defineConfig({
  test: {
    testTimeout: 900_000,
    hookTimeout: 120_000,
    // Two cores, and some tests run programs of their own beside them.
    maxWorkers: 2,
    reporters: [['default', { summary: false }], seedsReporter(), summaryReporter()],
    projects: [
      { extends: true, test: { name: 'clock', include: againstTheClock, sequence: { groupOrder: 0 } } },
      {
        extends: true,
        test: {
          name: 'computed',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...againstTheClock],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
