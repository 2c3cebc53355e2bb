/** The pictures; not a test, but it needs what the tests need. */

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { include: ['tests/screenshots.ts'], setupFiles: ['tests/e2e/support/cleanup.ts'], environment: 'node', testTimeout: 600_000 },
})
