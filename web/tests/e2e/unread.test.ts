/** What is unread: counted on the server for accounts, so the same after a reload and on every device. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { Robot } from './support/robot'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

const room = (person: Person, label: string) => person.page.getByRole('navigation').getByRole('button', { name: label, exact: true })

test('counts are the same after a reload, on another device, and gone on both when one has read', async () => {
  const daemon = await Daemon.start()
  const robot = await Robot.connect(daemon.port, 'robot')
  const ann = await Person.register(browser, daemon.url, 'ann')
  await ann.creates('garden')
  await robot.ask('join', { room: 'garden' })
  await ann.goTo('lobby')
  for (const text of ['one', 'two for @ann', 'three']) await robot.ask('say', { room: 'garden', text })
  const gone = await robot.ask('say', { room: 'garden', text: 'nothing for @ann' })
  await room(ann, 'garden, 2 for you').waitFor()
  await robot.ask('delete', { room: 'garden', seq: gone.seq })
  await ann.page.reload()
  await room(ann, 'garden, 1 for you').waitFor()

  // A device that was never there before, and one without what the first has kept.
  const other = await Person.logIn(browser, daemon.url, 'ann')
  await room(other, 'garden, 1 for you').waitFor()
  await other.goTo('garden')
  await other.sees('two for @ann')
  await other.page.locator('.new').waitFor()
  await room(ann, 'garden').waitFor()
  await expect.poll(() => ann.page.title()).toBe('lobby · Klatch')
  await ann.page.reload()
  await room(ann, 'garden').waitFor()

  // What is said while nobody is there waits, and survives the server.
  await other.leave()
  await ann.page.goto('about:blank')
  await robot.ask('say', { room: 'garden', text: 'good night @ann' })
  robot.end()
  await daemon.kill()
  await daemon.run()
  await ann.page.goto(daemon.url)
  await room(ann, 'garden, 1 for you').waitFor()
  expect(ann.complaints).toEqual([])
  await ann.leave()
})
