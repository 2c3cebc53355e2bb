/** The tests in a real browser against a real daemon. They need a build of both. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/e2e/**/*.test.ts'],
    setupFiles: ['tests/e2e/support/cleanup.ts'],
    environment: 'node',
    // Machines are slow, and do everything at once.
    testTimeout: 600_000,
    hookTimeout: 120_000,
    // Each has a browser of its own; while one waits for its server another works.
    maxWorkers: 2,
  },
})
