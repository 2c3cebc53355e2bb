/** What follows the bundling: icons, compressed copies, and the hash of the sources.
 *
 * `SOURCES.sha256` says from which sources the bundle was made: the SHA-256 over the sorted list of
 * "path\0sha256\n" of every file below web/ that git tracks. Who embeds the bundle compares it.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

import { Resvg } from '@resvg/resvg-js'
import type { Plugin } from 'vite'

const web = fileURLToPath(new URL('..', import.meta.url))

/** What is worth compressing. */
const TEXT = /\.(?:html|js|css|svg|json|webmanifest)$/
const ICONS = [
  ['icon-192.png', 192],
  ['icon-512.png', 512],
  ['apple-touch-icon.png', 180],
] as const

export function finish(): Plugin {
  let out = 'dist'
  return {
    name: 'klatch-finish',
    apply: 'build',
    configResolved: (config) => {
      out = join(config.root, config.build.outDir)
    },
    generateBundle() {
      const svg = readFileSync(join(web, 'public', 'icon.svg'), 'utf8')
      for (const [fileName, width] of ICONS) {
        const png = new Resvg(svg, { fitTo: { mode: 'width', value: width } }).render().asPng()
        this.emitFile({ type: 'asset', fileName, source: png })
      }
    },
    closeBundle() {
      for (const path of files(out)) if (TEXT.test(path)) compress(path)
      writeFileSync(join(out, 'SOURCES.sha256'), `${sourcesHash()}\n`)
    },
  }
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function compress(path: string): void {
  const bytes = readFileSync(path)
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  }
  writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }))
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
}

/** Sorted by the bytes of the paths, as any other language would. */
export function sourcesHash(): string {
  const listed = execFileSync('git', ['ls-files', '-z', '--', '.'], { cwd: web })
  const paths = listed.toString('utf8').split('\0').filter(Boolean)
  paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const hash = createHash('sha256')
  for (const path of paths) {
    const file = createHash('sha256').update(readFileSync(join(web, path))).digest('hex')
    hash.update(`${relative(web, join(web, path))}\0${file}\n`)
  }
  return hash.digest('hex')
}
