/** What follows the bundling: the icons, and the hash of the sources.
 *
 * `SOURCES.sha256` says from which sources the bundle was made: the SHA-256 over the sorted list of
 * "path\0sha256\n" of every file below web/ that git knows, but for the tests, with paths from the
 * top of the repository. Who embeds the bundle compares it, and compresses the files. A bundle that is there
 * already and was made from these very sources is left alone, so that nothing is embedded anew.
 */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Resvg } from '@resvg/resvg-js'
import type { Plugin } from 'vite'

const web = fileURLToPath(new URL('..', import.meta.url))
const top = join(web, '..')

/** What is made and not written: where git cannot tell, these are left out. */
const MADE = ['dist', 'node_modules', 'screenshots', 'test-results']
/** What the bundle is not made from, from the top of the repository. */
const NOT_BUNDLED = ['web/dist/', 'web/tests/']
const SOURCES = 'SOURCES.sha256'
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
      if (madeFrom(out) === sourcesHash()) {
        console.log('web/dist is current')
        process.exit(0)
      }
    },
    generateBundle() {
      const svg = readFileSync(join(web, 'public', 'icon.svg'), 'utf8')
      for (const [fileName, width] of ICONS) {
        const png = new Resvg(svg, { fitTo: { mode: 'width', value: width } }).render().asPng()
        this.emitFile({ type: 'asset', fileName, source: png })
      }
    },
    closeBundle() {
      writeFileSync(join(out, SOURCES), `${sourcesHash()}\n`)
    },
  }
}

/** Written last, so a bundle that has it is whole. */
function madeFrom(out: string): string | undefined {
  const path = join(out, SOURCES)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

/** Sorted by the bytes of the paths, as any other language would. */
function sourcesHash(): string {
  const paths = sources().filter(
    (path) => existsSync(join(top, path)) && !NOT_BUNDLED.some((folder) => path.startsWith(folder)),
  )
  paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const hash = createHash('sha256')
  for (const path of paths) {
    const file = createHash('sha256').update(readFileSync(join(top, path))).digest('hex')
    hash.update(`${path}\0${file}\n`)
  }
  return hash.digest('hex')
}

function sources(): string[] {
  try {
    const listed = execFileSync('git', ['ls-files', '-z', '--', 'web'], {
      cwd: top,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return listed.split('\0').filter(Boolean)
  } catch {
    return readdirSync(web, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join('web', join(entry.parentPath, entry.name).slice(web.length)))
      .filter((path) => {
        const parts = path.split('/')
        return !MADE.includes(parts[1] ?? '') && !parts.some((part) => part.startsWith('.'))
      })
  }
}
