// Ends a test run with one plain line, `N passed, N failed`, that any script can read. Not a test.
import type { Reporter, TestModule } from 'vitest/node';

/** Counts every test; a file that could not be run, or an error outside a test, counts as one that failed. */
export const summaryReporter = (): Reporter => ({
  onTestRunEnd: (modules: readonly TestModule[], errors: readonly unknown[]) => {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed += 1;
        if (state === 'failed') failed += 1;
      }
    }
    // After the summary of the default reporter, which is written in the same moment.
    setImmediate(() => process.stdout.write(`${passed} passed, ${failed} failed\n`));
  },
});
