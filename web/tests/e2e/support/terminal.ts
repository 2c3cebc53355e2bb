/** A program in a pipe: what it says, and what it is told. */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { expect } from 'vitest'

import { PATIENCE } from './browser'

const script = fileURLToPath(new URL('../../../../lua/bin/klatch.lua', import.meta.url))

/** The interpreters, each with the chat program in Lua. */
export const LUA = ['lua5.1', 'lua5.3', 'lua5.4', 'luajit'].map((lua) => [lua, script] as const)

/** Those that still run: a test that fails leaves them to `killAll`. */
const running = new Set<Terminal>()

/** Ends what the last test left. */
export function killAll(): void {
  for (const terminal of running) terminal.kill()
}
process.once('exit', killAll)

export class Terminal {
  heard = ''
  complaints = ''
  private readonly child: ChildProcessWithoutNullStreams
  private readonly ended: Promise<number | null>

  constructor(command: string, args: string[]) {
    this.child = spawn(command, args, { stdio: 'pipe' })
    running.add(this)
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.heard += text))
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.complaints += text))
    this.ended = new Promise((resolve, reject) => {
      this.child.once('close', resolve)
      this.child.once('error', reject)
    })
    // Who does not wait for the end learns of a program that could not be started by what is missing.
    this.ended.catch(() => {})
  }

  says(line: string): void {
    this.child.stdin.write(`${line}\n`)
  }

  async hears(text: string): Promise<void> {
    await expect.poll(() => this.heard, { timeout: PATIENCE, message: this.complaints }).toContain(text)
  }

  /** Closes its input, and gives the code that it ends with. */
  ends(): Promise<number | null> {
    this.child.stdin.end()
    return this.ended
  }

  kill(): void {
    running.delete(this)
    this.child.kill('SIGKILL')
  }
}
