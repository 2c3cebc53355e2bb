/** What strangers write stays text, wherever it is shown. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { PASSWORD, Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { PAYLOADS } from './support/payloads'
import { Robot } from './support/robot'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

/** Scrolls from the newest to the oldest, and calls `look` at every stop. */
async function traverse(person: Person, look: () => Promise<void>): Promise<void> {
  for (;;) {
    await look()
    const done = await person.page.evaluate(async () => {
      const log = document.querySelector('[role=log]')!
      const before = log.scrollTop
      log.dispatchEvent(new WheelEvent('wheel', { deltaY: -100, bubbles: true }))
      log.scrollTop -= log.clientHeight * 0.8
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
      return before === 0 && log.scrollTop === 0 && document.querySelector('.beginning') !== null
    })
    if (done) return
  }
}

test('a thousand payloads in every field run nothing', async () => {
  expect(PAYLOADS.length).toBeGreaterThanOrEqual(1_000)
  const daemon = await Daemon.start({ 'history.messages_per_room': '5000', 'history.bytes_per_room': '16 MiB' })
  const mallory = await Robot.connect(daemon.port, 'mallory')
  await mallory.sayAll('lobby', PAYLOADS)
  for (const payload of PAYLOADS) {
    const topic = payload.replace(/[\n\t]/g, ' ')
    await mallory.ask('topic', { room: 'lobby', topic })
  }
  // Names are refused before anybody sees them; what is left of one is shown as it is.
  const strange = await Promise.all(
    PAYLOADS.slice(0, 200).map((room) => mallory.ask('create', { room: room.replace(/[\n\t]/g, '').slice(0, 30) }).then(() => 1, () => 0)),
  )
  const victim = await Person.enter(browser, daemon.url, 'victim')
  await mallory.ask('direct', { name: 'victim' }).then(({ room }) => mallory.sayAll(room, PAYLOADS))
  let seen = 0
  const look = async (): Promise<void> => {
    const found = await victim.page.evaluate(() => {
      const app = document.getElementById('app')!
      const wrong = [...app.querySelectorAll<HTMLElement>('script,iframe,object,embed,img,style,link,base,meta,form[action]')]
      const links = [...app.querySelectorAll<HTMLAnchorElement>('a[href]')].filter(
        (link) => !/^(?:https?|mailto):/.test(link.href) || link.target !== '_blank' || !link.rel.includes('noopener'),
      )
      const attributes = [...app.querySelectorAll('*')].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith('on')),
      )
      return {
        wrong: [...wrong, ...links, ...attributes].map((element) => element.outerHTML),
        rows: document.querySelectorAll('.row').length,
      }
    })
    expect(found.wrong).toEqual([])
    seen += found.rows
  }
  await traverse(victim, look)
  await victim.goTo('mallory')
  await victim.sees('pwned')
  await traverse(victim, look)
  await victim.page.getByRole('button', { name: 'Browse or create rooms' }).click()
  await victim.page.getByRole('dialog').waitFor()
  await victim.page.keyboard.press('Escape')
  expect(seen).toBeGreaterThan(3 * PAYLOADS.length)
  expect(strange.length).toBe(200)
  expect(victim.complaints).toEqual([])

  // This test can fail: what does run, or is kept from it by the policy alone, is noticed.
  await victim.page.evaluate(() => {
    try {
      document.body.insertAdjacentHTML('beforeend', '<img src=/nothing onerror="pwned(0)">')
    } catch {
      // The policy throws, and tells.
    }
  })
  await expect.poll(() => victim.complaints.join()).toMatch(/policy: require-trusted-types-for/)
  await victim.leave()
  mallory.end()
})

test('nor do payloads in what moderators say and in the names of devices', async () => {
  const daemon = await Daemon.start()
  const some = PAYLOADS.map((payload) => payload.replace(/[\n\t]/g, ' ')).filter((payload) => payload.length <= 60)
  const victim = await Person.register(browser, daemon.url, 'victim')
  const mallory = await Robot.connect(daemon.port, 'mallory')
  await mallory.ask('create', { room: 'den' })
  const strange = async (): Promise<string[]> =>
    victim.page.evaluate(() =>
      [...document.querySelectorAll('#app *')]
        .filter((each) => /^(?:script|iframe|object|embed|img|style|link|base|meta)$/i.test(each.tagName) || each.getAttributeNames().some((name) => name.startsWith('on')))
        .map((each) => each.outerHTML),
    )
  for (const text of some.slice(0, 40)) {
    await victim.page.keyboard.press('Control+k')
    await victim.page.getByRole('combobox', { name: 'Room or person' }).fill('den')
    await victim.page.keyboard.press('Enter')
    await expect.poll(() => victim.page.getByRole('heading', { level: 1 }).textContent()).toBe('den')
    await expect.poll(() => mallory.ask('kick', { room: 'den', name: 'victim', text }).then(() => true, () => false)).toBe(true)
    await victim.page.locator('.banner', { hasText: 'mallory put you out' }).waitFor()
    expect(await victim.page.locator('.banner').textContent()).toContain(text)
    expect(await strange()).toEqual([])
    await victim.page.locator('.banner').getByRole('button', { name: 'Close' }).click()
  }
  for (const device of some.slice(0, 30)) (await Robot.connect(daemon.port, 'victim', { password: PASSWORD, device })).end()
  await victim.opensSettings()
  await victim.page.getByRole('button', { name: 'Devices' }).click()
  await victim.dialog.locator('.devices li').nth(30).waitFor()
  expect(await victim.dialog.locator('.devices').textContent()).toContain(some[29])
  expect(await strange()).toEqual([])
  expect(victim.complaints).toEqual([])
  await victim.leave()
  mallory.end()
})
