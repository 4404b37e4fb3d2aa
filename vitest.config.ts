// How the tests are run: no test depends on time, so the limit only catches one that never ends.
import { defineConfig } from 'vitest/config';
import { seedsReporter } from './test/sim/seedsReporter.ts';
import { summaryReporter } from './test/summaryReporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 900_000,
    hookTimeout: 120_000,
    // Two cores, and some tests run programs of their own beside them.
    maxWorkers: 2,
    reporters: [['default', { summary: false }], seedsReporter(), summaryReporter()],
  },
});
