/** The build: hashed files under dist/assets, each with its compressed copies beside it. */

import { fileURLToPath } from 'node:url'

import preact from '@preact/preset-vite'
import { defineConfig } from 'vite'

import { finish } from './build/finish.ts'
import { emoji } from './build/emoji.ts'
import pkg from './package.json' with { type: 'json' }

export default defineConfig({
  plugins: [preact({ devToolsEnabled: false }), emoji(), finish()],
  resolve: {
    alias: {
      // Its variant for browsers reads `&copy;` by innerHTML, which the policy forbids.
      'decode-named-character-reference': fileURLToPath(
        new URL('node_modules/decode-named-character-reference/index.js', import.meta.url),
      ),
    },
  },
  define: { __VERSION__: JSON.stringify(pkg.version) },
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    // A style that is put into a data: address would need a hole in the policy.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw.ts' },
      output: {
        // The browser looks for the service worker at one place for ever.
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    proxy: { '/ws': { target: 'https://127.0.0.1:5528', ws: true, secure: false, changeOrigin: true } },
  },
})
