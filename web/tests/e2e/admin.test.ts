/** The operator's page: for administrators alone; what it shows is so, and what it does is done. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { PASSWORD, PATIENCE, Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { Robot } from './support/robot'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

const section = (person: Person, title: string) =>
  person.page.locator('.panel', { has: person.page.getByRole('heading', { name: title }) })

test('sessions, rooms, limits, storage and figures are shown, and a kick is confirmed and done', async () => {
  const daemon = await Daemon.start()
  const olga = await Person.arrive(browser, `${daemon.url}#invite=${daemon.invitation!}`)
  await olga.page.getByLabel('Invitation code').waitFor()
  await olga.fillIn('olga', PASSWORD)
  await olga.composer.waitFor()
  const bob = await Person.enter(browser, daemon.url, 'bob')
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.ask('create', { room: 'attic' })
  await robot.ask('say', { room: 'attic', text: 'x'.repeat(16_385) }).catch(() => {})

  await olga.opensSettings()
  await olga.page.getByRole('button', { name: "Operator's page" }).click()
  expect(new URL(olga.page.url()).pathname).toBe('/admin')
  const sessions = section(olga, 'Live sessions')
  await sessions.getByRole('row', { name: /bob/ }).waitFor()
  await expect.poll(() => sessions.locator('tbody tr').count(), { timeout: PATIENCE }).toBe(3)
  await section(olga, 'Rooms').getByRole('row', { name: /attic/ }).waitFor()
  await section(olga, 'Limits hit').locator('code', { hasText: /^text$/ }).waitFor()
  await olga.page.locator('.tile', { hasText: 'Storage' }).getByText(/free$/).waitFor()
  await olga.page.getByRole('img', { name: 'Sessions with a name: now 3, at most 3' }).waitFor()
  const messages = olga.page.getByRole('img', { name: /^Messages: now/ })
  await robot.sayAll('attic', Array.from({ length: 200 }, (_, i) => `line ${i}`))
  await expect.poll(() => messages.getAttribute('aria-label'), { timeout: PATIENCE }).toMatch(/at most [1-9]/)

  // Nothing is done by one press.
  const kicked = (await sessions.getByRole('row', { name: /bob/ }).locator('td').nth(1).textContent())!
  await sessions.getByRole('button', { name: 'Kick bob' }).click()
  await olga.dialog.getByRole('button', { name: 'Kick', exact: true }).click()
  await olga.dialog.getByText(/^Really kick/).waitFor()
  await bob.say('still here')
  await bob.sees('still here')
  await olga.dialog.getByRole('button', { name: 'Yes, kick' }).click()
  await olga.dialog.getByText('Ended').waitFor()
  await olga.dialog.getByRole('button', { name: 'Close' }).last().click()
  // They may come back, as another session.
  const number = olga.page.locator('td', { hasText: kicked })
  await number.waitFor({ state: 'detached' })

  // Every command of the table is there; what one is told is shown.
  await olga.page.getByRole('button', { name: /^invite/ }).click()
  await olga.dialog.getByLabel(/^Role/).selectOption('admin')
  await olga.dialog.getByRole('button', { name: 'Invite', exact: true }).click()
  await olga.dialog.getByRole('button', { name: 'Yes, invite' }).click()
  await olga.dialog.getByText(/#invite=/).waitFor()
  await olga.page.keyboard.press('Escape')
  await olga.page.getByRole('button', { name: /^drain/ }).click()
  await olga.dialog.getByLabel(/^Seconds/).fill('soon')
  await olga.dialog.getByRole('button', { name: 'Drain', exact: true }).click()
  await olga.dialog.getByRole('button', { name: 'Yes, drain' }).click()
  await olga.dialog.getByText(/not a whole number/).waitFor()
  await olga.page.keyboard.press('Escape')

  // The page opens by its address too, and leads back to the same session.
  await olga.page.goto(`${daemon.url}admin`)
  await section(olga, 'Live sessions').getByRole('row', { name: /olga/ }).waitFor()
  await olga.page.getByRole('button', { name: 'Back to the chat' }).click()
  await olga.composer.waitFor()
  expect(new URL(olga.page.url()).pathname).toBe('/')
  await olga.page.goBack()
  await section(olga, 'Live sessions').waitFor()
  expect(olga.complaints).toEqual([])
  for (const person of [olga, bob]) await person.leave()
  robot.end()
})

test('nobody else sees anything there', async () => {
  const daemon = await Daemon.start()
  const ann = await Person.register(browser, daemon.url, 'ann')
  const asked: string[] = []
  await ann.page.goto(`${daemon.url}admin`)
  ann.page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => asked.push(String(payload))))
  await ann.page.reload()
  await ann.page.getByRole('heading', { name: 'This page is for administrators of the server' }).waitFor()
  expect(asked.length).toBeGreaterThan(1)
  expect(asked.join()).not.toContain('admin')
  await ann.page.getByRole('button', { name: 'Back to the chat' }).click()
  await ann.composer.waitFor()
  expect(ann.complaints).toEqual([])
  await ann.leave()
})
