/** Search: in one room or in all, by keys, and from what was found into its context. */

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

const hits = (person: Person) => person.dialog.getByRole('option')

test('words lead to a message, however old, and on from there in both directions', async () => {
  const daemon = await Daemon.start()
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.sayAll('lobby', Array.from({ length: 1_500 }, (_, i) => (i === 300 ? 'where the Needle lies' : `hay ${i}.`)))
  await robot.ask('create', { room: 'attic' })
  await robot.ask('say', { room: 'attic', text: 'another needle, rusty' })
  await robot.ask('create', { room: 'vault', private: true })
  await robot.ask('say', { room: 'vault', text: 'a secret needle' })
  const ann = await Person.enter(browser, daemon.url, 'ann')
  await ann.sees('hay 1499.')

  await ann.page.keyboard.press('Control+Shift+F')
  await ann.page.keyboard.type('needle')
  await ann.dialog.getByText('2 found, the newest first.').waitFor()
  expect(await hits(ann).locator('.excerpt').allTextContents()).toEqual(['another needle, rusty', 'where the Needle lies'])
  expect(await hits(ann).locator('mark').allTextContents()).toEqual(['needle', 'Needle'])
  await ann.page.keyboard.press('ArrowDown')
  expect(await ann.dialog.getByRole('combobox').getAttribute('aria-activedescendant')).toBe('hit-1')
  await ann.isLedTo('where the Needle lies', () => ann.page.keyboard.press('Enter'))
  expect(await ann.page.evaluate(() => document.activeElement?.getAttribute('data-seq'))).toBe('301')
  await ann.sees('hay 299.')
  await ann.sees('hay 301.')

  // What is said meanwhile does not move what one reads; and by scrolling on one comes to it.
  await robot.ask('say', { room: 'lobby', text: 'said meanwhile' })
  const walk = (by: number) =>
    ann.page.evaluate(async (step) => {
      const log = document.querySelector('[role=log]')!
      for (let still = 0, last = -1; still < 40; ) {
        log.dispatchEvent(new WheelEvent('wheel', { deltaY: step }))
        log.scrollTop += step * log.clientHeight
        await new Promise(requestAnimationFrame)
        still = log.scrollTop === last ? still + 1 : 0
        last = log.scrollTop
      }
    }, by)
  await walk(0.8)
  await ann.sees('said meanwhile')
  const seqs = () => ann.page.locator('.message').evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-seq'))))
  const shown = await seqs()
  expect(shown).toEqual(shown.map((_, i) => shown[0]! + i))
  await robot.ask('say', { room: 'lobby', text: 'and live again' })
  await ann.sees('and live again')
  await walk(-0.8)
  await ann.sees('hay 0.')

  // A hit in a room that one is not in leads into it.
  await ann.page.getByRole('button', { name: 'Search what was said' }).click()
  await ann.isLedTo('rusty', () => ann.dialog.getByRole('option', { name: /rusty/ }).click())
  await ann.page.getByRole('heading', { name: 'attic', level: 1 }).waitFor()

  await ann.page.keyboard.press('Control+Shift+F')
  await ann.dialog.getByRole('radio', { name: 'Only #attic' }).check({ force: true })
  await ann.dialog.getByText('1 found').waitFor()
  await ann.dialog.getByRole('combobox').fill('from:nobody needle')
  await ann.dialog.getByText('Nothing was found.').waitFor()
  await ann.dialog.getByRole('combobox').fill('n')
  await ann.dialog.getByText('One has two letters or more.').waitFor()
  expect(ann.complaints).toEqual([])
  await ann.leave()
  robot.end()
})

test('what is found is as it is now, and more of it comes when one goes on', async () => {
  const daemon = await Daemon.start()
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.sayAll('lobby', Array.from({ length: 120 }, (_, i) => `common word, number ${i}.`))
  await robot.ask('edit', { room: 'lobby', seq: 120, text: 'common word, edited' })
  await robot.ask('delete', { room: 'lobby', seq: 119 })
  const ann = await Person.enter(browser, daemon.url, 'ann')
  await ann.page.keyboard.press('Control+Shift+F')
  await ann.page.keyboard.type('common')
  await ann.dialog.getByText('and more found').waitFor()
  expect(await hits(ann).locator('.excerpt').first().textContent()).toBe('common word, edited')
  // Down and down: the next page comes before one is at the end.
  for (let i = 0; i < 130; i++) await ann.page.keyboard.press('ArrowDown')
  await expect
    .poll(async () => {
      for (let i = 0; i < 30; i++) await ann.page.keyboard.press('ArrowDown')
      return hits(ann).count()
    }, { timeout: 30_000 })
    .toBe(119)
  await ann.dialog.getByText('119 found, the newest first.').waitFor()
  expect(await ann.dialog.textContent()).not.toContain('number 118.')
  expect(ann.complaints).toEqual([])
  await ann.leave()
  robot.end()
})
