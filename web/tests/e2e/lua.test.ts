/** The browser, the program in Lua and the one in Rust chat in one room, all over TLS. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'

import { Person, startBrowser } from './support/browser'
import { Daemon, program } from './support/daemon'
import { LUA, Terminal } from './support/terminal'

let browser: Browser
let daemon: Daemon
let ann: Person | undefined

beforeAll(async () => {
  // Not only the page, also its service worker must come from a certificate that nobody vouches for.
  browser = await startBrowser(['--ignore-certificate-errors'])
})
afterAll(() => browser?.close())
beforeEach(async () => {
  daemon = await Daemon.start()
})
afterEach(() => ann?.leave())

function start(command: string, args: string[], name: string): Terminal {
  const known = ['--server', `127.0.0.1:${daemon.port}`, '--fingerprint', daemon.fingerprint]
  return new Terminal(command, [...args, '--line', ...known, '--name', name, '--room', 'lobby'])
}

test.each(LUA)('a browser, %s and the terminal client chat in one room over TLS', async (lua, script) => {
  ann = await Person.enter(browser, daemon.secureUrl, 'ann')
  const bob = start(lua, [script], 'bob')
  const carol = start(program('klatch'), [], 'carol')
  // Each is heard by the two others, and by itself.
  for (const name of ['bob', 'carol']) {
    await ann.page.getByRole('complementary').getByRole('button', { name, exact: true }).waitFor()
  }
  await ann.say('from the **browser** <b>')
  await bob.hears('<ann> from the **browser** <b>')
  await carol.hears('<ann> from the **browser** <b>')
  bob.says('from Lua, wörld \x1b[31m')
  await ann.sees('from Lua, wörld')
  await carol.hears('<bob> from Lua, wörld')
  carol.says('from Rust @ann')
  await ann.page.locator('.message.for-me', { hasText: 'from Rust' }).waitFor()
  await bob.hears('<carol> from Rust @ann')
  // All have the same, in the same order, and nothing twice.
  expect(await ann.page.locator('.message .text').allTextContents()).toEqual([
    'from the browser <b>', expect.stringMatching(/^from Lua, wörld/), 'from Rust @ann',
  ])
  for (const terminal of [bob, carol]) {
    expect(terminal.heard.match(/from (?:the|Lua|Rust)/g)).toEqual(['from the', 'from Lua', 'from Rust'])
    expect(terminal.heard).not.toContain('\x1b')
    expect(await terminal.ends()).toBe(0)
  }
  await ann.page.getByText('bob and carol left').waitFor()
  expect(ann.complaints).toEqual([])
})
