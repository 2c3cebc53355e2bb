/** A klatchd of the test's own, and the address of its web GUI. */

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const top = fileURLToPath(new URL('../../../..', import.meta.url))

/** Where cargo put a program: `KLATCH_BIN` says which folder, else the newest build is taken. */
export function program(name: string): string {
  const target = process.env.CARGO_TARGET_DIR ?? join(top, 'target')
  const folders = process.env.KLATCH_BIN
    ? [process.env.KLATCH_BIN]
    : [join(target, 'debug'), join(target, 'release')]
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  if (!found) throw new Error(`${name} is in none of ${folders.join(', ')}: build it first`)
  return found
}

/** Everybody comes from one address here, and faster than people do. */
const GENEROUS = {
  'limits.connections_per_address': '10000',
  'limits.connection_rate_per_address': '10000',
  'limits.connection_burst_per_address': '10000',
  'limits.unauthenticated': '10000',
  'limits.requests_per_s': '100000',
  'limits.requests_burst': '100000',
  'limits.bytes_per_s': '100 MiB',
  'limits.bytes_burst': '100 MiB',
  'limits.address_requests_per_s': '100000',
  'limits.address_requests_burst': '100000',
  'limits.address_bytes_per_s': '100 MiB',
  'limits.address_bytes_burst': '100 MiB',
}

/** Daemons that were started and not stopped: a test that fails leaves them to `stopAll`. */
const running = new Set<Daemon>()

/** Stops what the last test left. */
export async function stopAll(): Promise<void> {
  for (const daemon of running) await daemon.stop()
}
// Not even a runner that gives up leaves one behind.
process.once('exit', () => running.forEach((daemon) => daemon.end()))

export class Daemon {
  private readonly home = mkdtempSync(join(tmpdir(), 'klatch-web-'))
  private child: ChildProcess | undefined
  port = 0
  /** Of its certificate, in hexadecimal digits. */
  fingerprint = ''
  /** The code that makes the first administrator, if there is none yet. */
  invitation: string | undefined

  private constructor(private readonly settings: Record<string, string>) {}

  static async start(settings: Record<string, string> = {}): Promise<Daemon> {
    const daemon = new Daemon({ ...GENEROUS, ...settings })
    running.add(daemon)
    await daemon.run()
    return daemon
  }

  /** The page's address. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/`
  }

  /** The page's address for everybody who is not on this machine. */
  get secureUrl(): string {
    return `https://127.0.0.1:${this.port}/`
  }

  /** Starts it, on the port that it had before. */
  async run(): Promise<void> {
    const sets = Object.entries({
      ...this.settings,
      'server.listen': `127.0.0.1:${this.port}`,
      'server.state_dir': this.home,
    }).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const child = spawn(program('klatchd'), sets, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.child = child
    const said = await greeting(child)
    this.port = said.port
    this.fingerprint = said.fingerprint
    this.invitation = said.invitation
    await servesTheGui(this.url)
  }

  /** Reads its settings anew, and does what it otherwise does once a minute. */
  reload(): void {
    this.child?.kill('SIGHUP')
  }

  /** As the power goes: nobody is told. */
  async kill(): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }

  /** The same, and nobody waits for it. */
  end(): void {
    this.child?.kill('SIGKILL')
    rmSync(this.home, { recursive: true, force: true })
  }

  async stop(): Promise<void> {
    running.delete(this)
    await this.kill()
    rmSync(this.home, { recursive: true, force: true })
  }
}

/** A daemon that was built without the page would only say how to get it. */
async function servesTheGui(url: string): Promise<void> {
  const text = await (await fetch(url)).text()
  if (!text.includes('id="app"')) throw new Error('klatchd was built without the web GUI: make web')
}

/** What it prints when it is ready. */
function greeting(child: ChildProcess): Promise<{ port: number; fingerprint: string; invitation?: string }> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /127\.0\.0\.1:(\d+)[\s\S]*sha256:(\w+)[\s\S]*chat with/.exec(said)
      const code = /#invite=(\w+)/.exec(said)?.[1]
      if (found) {
        resolve({ port: Number(found[1]), fingerprint: found[2]!, ...(code ? { invitation: code } : {}) })
      }
    })
    let errors = ''
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.once('exit', (code) => reject(new Error(`klatchd ended with ${code}: ${errors}`)))
  })
}
