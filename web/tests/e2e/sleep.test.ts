/** Computers sleep, and networks change: the page comes back by itself, and nothing is lost or said twice. */

import type { Browser } from 'playwright-core'
import { afterEach, expect, test } from 'vitest'

import { PATIENCE, Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { Link } from './support/link'
import { Robot } from './support/robot'

/** A server that does not wait long for whoever says nothing. */
const SHORT = { 'timeouts.ping': '1s', 'timeouts.dead': '3s' }
/** And one that would wait for the whole test. */
const LONG = { 'timeouts.ping': '10m', 'timeouts.dead': '20m' }

let browser: Browser
let link: Link
afterEach(async () => {
  link?.close()
  await browser?.close()
})

async function scene(settings: Record<string, string>, guest = false): Promise<{ ann: Person; robot: Robot }> {
  browser = await startBrowser()
  const daemon = await Daemon.start(settings)
  link = await Link.to(daemon.port)
  const ann = await (guest ? Person.enter : Person.register)(browser, link.url, 'ann', { height: 4_000 })
  // So high that all rows are in the document. A page that is loaded anew would come back too; this one must not be.
  await ann.page.evaluate(() => Object.assign(globalThis, { same: true }))
  return { ann, robot: await Robot.connect(daemon.port, 'robot') }
}

/** What the server has of the lobby. */
async function said(robot: Robot): Promise<string[]> {
  const { entries } = await robot.ask('history', { room: 'lobby', limit: 200 })
  return entries.filter(({ kind }) => kind === 'message').map(({ text }) => text)
}

const texts = ({ page }: Person): Promise<string[]> => page.locator('.message .text').allTextContents()
const online = ({ page }: Person) => page.getByText('Online', { exact: true })

/** All is there that was said, in its order, and the page is the one that fell asleep. */
async function isWhole(ann: Person, robot: Robot, own: string[]): Promise<void> {
  await online(ann).waitFor()
  await robot.ask('say', { room: 'lobby', text: 'good morning' })
  await ann.sees('good morning')
  await expect.poll(() => ann.page.locator('.pending').count(), { timeout: PATIENCE }).toBe(0)
  const all = await said(robot)
  for (const text of own) expect(all.filter((each) => each === text)).toEqual([text])
  expect(await texts(ann)).toEqual(all)
  expect(await ann.page.evaluate(() => 'same' in globalThis)).toBe(true)
  expect(ann.complaints).toEqual([])
}

/** Others talk, until the server has given up the one who sleeps, and on. */
async function meanwhile(robot: Robot): Promise<string[]> {
  const told = Array.from({ length: 40 }, (_, i) => `while you slept ${i}`)
  await robot.sayAll('lobby', told.slice(0, 20))
  const members = async (): Promise<number> => (await robot.ask('members', { room: 'lobby' })).total
  await expect.poll(members, { timeout: PATIENCE }).toBe(1)
  await robot.sayAll('lobby', told.slice(20))
  return told
}

/** Stops all that the browser is made of, as sleep does, or what runs its pages; gives the way to wake it. */
async function sleeps(what?: 'renderer'): Promise<() => void> {
  const cdp = await browser.newBrowserCDPSession()
  const { processInfo } = await cdp.send('SystemInfo.getProcessInfo')
  const stopped = processInfo.filter(({ type }) => what === undefined || type === what)
  expect(stopped.length).toBeGreaterThan(0)
  const each = (signal: NodeJS.Signals): void => stopped.forEach(({ id }) => process.kill(id, signal))
  each('SIGSTOP')
  return () => each('SIGCONT')
}

test('a computer that slept longer than the server waits comes back by itself, with all it missed, and says what it had to say once', async () => {
  const { ann, robot } = await scene(SHORT)
  await ann.say('before')
  await ann.sees('before')
  // The last words: of one the server's answer is lost, the other is lost itself.
  link.cut('down')
  await ann.say('taken, but not answered')
  await expect.poll(() => said(robot), { timeout: PATIENCE }).toContain('taken, but not answered')
  link.cut()
  const wake = await sleeps()
  await meanwhile(robot)
  expect((await said(robot)).length).toBe(42)
  wake()
  await ann.say('not even sent')
  link.mend()
  await isWhole(ann, robot, ['before', 'taken, but not answered', 'not even sent'])
  robot.end()
})

test('a page that stood still while its browser went on comes back too', async () => {
  const { ann, robot } = await scene(SHORT)
  await ann.say('before')
  await ann.sees('before')
  link.cut('up')
  await ann.say('not even sent')
  const wake = await sleeps('renderer')
  await meanwhile(robot)
  link.mend()
  wake()
  await isWhole(ann, robot, ['before', 'not even sent'])
  robot.end()
})

test('a computer whose timers stood still notices by its clock that it slept, and does not wait for them', async () => {
  // A guest's page has nothing to tell the server by itself: no word of its own finds the connection dead.
  const { ann, robot } = await scene(LONG, true)
  await ann.say('before')
  await ann.sees('before')
  link.cut()
  link.mend()
  await robot.ask('say', { room: 'lobby', text: 'while you slept' })
  await ann.page.evaluate(() => {
    const now = Date.now
    Date.now = () => now() + 3_600_000
  })
  await ann.sees('while you slept')
  await isWhole(ann, robot, ['before'])
  robot.end()
})

test('a connection that is begun while the network is dead is given up, and another one begun', async () => {
  const { ann, robot } = await scene(LONG)
  link.cut()
  link.reset()
  await ann.page.getByText('Connecting…').first().waitFor()
  await ann.say('said on the way')
  link.mend()
  await isWhole(ann, robot, ['said on the way'])
  robot.end()
})

test('what is written while the network is another waits in the page, and is said once', async () => {
  const { ann, robot } = await scene(LONG)
  for (const round of ['first', 'second']) {
    link.cut()
    await ann.context.setOffline(true)
    await ann.say(`${round}, without a network`)
    await ann.page.getByText('Offline').waitFor()
    await ann.page.locator('.pending', { hasText: 'Waiting for the connection' }).waitFor()
    expect(await said(robot)).not.toContain(`${round}, without a network`)
    expect(await ann.page.evaluate(() => localStorage.getItem('klatch.outbox.ann'))).toContain(`${round}, without`)
    await robot.ask('say', { room: 'lobby', text: `${round}, meanwhile` })
    link.mend()
    await ann.context.setOffline(false)
    await ann.sees(`${round}, without a network`)
  }
  await isWhole(ann, robot, ['first, without a network', 'second, without a network'])
  robot.end()
})
