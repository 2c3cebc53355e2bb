/** What strangers write stays text, wherever it is shown. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { PASSWORD, PATIENCE, Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { PAYLOADS, SHORT } from './support/payloads'
import { Robot } from './support/robot'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

/** What is in the page and must not be; and how much of each kind was seen, each counted once. */
interface Seen {
  wrong: string[]
  messages: number
  topics: number
  quotes: number
  reactions: number
}

/** Looks at the page as it is; with `everywhere`, at every stop from the newest message to the oldest. All of it
 * happens in the page: a call for each stop would take most of the time.
 */
function looked(person: Person, everywhere = false): Promise<Seen> {
  return person.page.evaluate(async (all) => {
    const app = document.getElementById('app')!
    const log = document.querySelector('[role=log]')!
    const wrong: string[] = []
    const [messages, topics, quotes, reactions] = [new Set<string>(), new Set<string>(), new Set<string>(), new Set<string>()]
    const texts = (css: string, into: Set<string>): void =>
      log.querySelectorAll(css).forEach((each) => into.add(`${each.closest('[data-seq]')?.getAttribute('data-seq')} ${each.textContent}`))
    const look = (): void => {
      const elements = [...app.querySelectorAll<HTMLElement>('script,iframe,object,embed,img,style,link,base,meta,form[action]')]
      const links = [...app.querySelectorAll<HTMLAnchorElement>('a[href]')].filter(
        (link) => !/^(?:https?|mailto):/.test(link.href) || link.target !== '_blank' || !link.rel.includes('noopener'),
      )
      const attributes = [...app.querySelectorAll('*')].filter((element) =>
        element.getAttributeNames().some((name) => name.startsWith('on')),
      )
      wrong.push(...[...elements, ...links, ...attributes].map((element) => element.outerHTML))
      texts('.message', messages)
      texts('.line', topics)
      texts('.quoted .preview', quotes)
      texts('.reaction', reactions)
    }
    const frames = async (until: () => boolean): Promise<void> => {
      for (let i = 0; i < 2 || (i < 300 && !until()); i++) await new Promise(requestAnimationFrame)
    }
    if (all) log.scrollTop = log.scrollHeight
    await frames(() => true)
    look()
    const step = async (by: number): Promise<void> => {
      log.dispatchEvent(new WheelEvent('wheel', { deltaY: 100 * by, bubbles: true }))
      log.scrollTop += log.clientHeight * by
      // What is answered is far away, and fetched.
      await frames(() => ![...log.querySelectorAll('.quoted')].some((each) => each.textContent === 'An older message'))
      look()
    }
    const returned = new Set<string>()
    for (let before = -1; all; ) {
      before = log.scrollTop
      const seen = log.querySelector('.message')?.getAttribute('data-seq')
      await step(-0.8)
      // Rows that turn out higher than was thought push those below them out of sight, unseen: back to what was
      // seen, along all that is between; once, for then their heights are known.
      const back = seen && !returned.has(seen) ? `[data-seq="${seen}"]` : '*'
      if (seen) returned.add(seen)
      for (let i = 0; i < 200 && !log.querySelector(back); i++) await step(0.4)
      if (before === 0 && log.scrollTop === 0 && document.querySelector('.beginning')) break
    }
    const [m, t, q, r] = [messages, topics, quotes, reactions].map(({ size }) => size) as [number, number, number, number]
    return { wrong, messages: m, topics: t, quotes: q, reactions: r }
  }, everywhere)
}

test('a thousand payloads in every field run nothing', async () => {
  const count = PAYLOADS.length
  expect(count).toBeGreaterThanOrEqual(1_000)
  expect(new Set(SHORT).size).toBeGreaterThanOrEqual(1_000)
  const daemon = await Daemon.start({ 'history.messages_per_room': '10000', 'history.bytes_per_room': '64 MiB' })
  const mallory = await Robot.connect(daemon.port, 'mallory')
  const all = async (ask: (i: number) => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < count; i += 400) await Promise.all(PAYLOADS.slice(i, i + 400).map((_, j) => ask(i + j)))
  }
  await mallory.sayAll('lobby', PAYLOADS)
  await all((i) => mallory.ask('topic', { room: 'lobby', topic: PAYLOADS[i]!.replace(/[\n\t]/g, ' ') }))
  // Every message is edited into another, answered with one, and reacted to with one.
  await all((i) => mallory.ask('edit', { room: 'lobby', seq: i + 1, text: PAYLOADS[(i + 7) % count]! }))
  await all((i) => mallory.ask('react', { room: 'lobby', seq: i + 1, reaction: SHORT[i]!, on: true }))
  await all((i) => mallory.ask('say', { room: 'lobby', re: i + 1, text: PAYLOADS[(i + 3) % count]! }))
  // Names are refused before anybody sees them; what is left of one is shown as it is.
  const strange = await Promise.all(
    PAYLOADS.slice(0, 200).map((room) => mallory.ask('create', { room: room.replace(/[\n\t]/g, '').slice(0, 30) }).then(() => 1, () => 0)),
  )
  expect(strange.length).toBe(200)
  const victim = await Person.enter(browser, daemon.url, 'victim')
  await mallory.ask('direct', { name: 'victim' }).then(({ room }) => mallory.sayAll(room, PAYLOADS))
  await victim.sees('pwned')
  const lobby = await looked(victim, true)
  expect(lobby.wrong).toEqual([])
  expect(lobby.messages).toBeGreaterThanOrEqual(2 * count)
  expect(lobby.topics).toBeGreaterThanOrEqual(count)
  expect(lobby.quotes).toBeGreaterThanOrEqual(count)
  expect(lobby.reactions).toBeGreaterThanOrEqual(count)
  await victim.goTo('mallory')
  await victim.sees('pwned')
  const direct = await looked(victim, true)
  expect(direct.wrong).toEqual([])
  expect(direct.messages).toBeGreaterThanOrEqual(count)
  await victim.page.getByRole('button', { name: 'Browse or create rooms' }).click()
  await victim.dialog.locator('.found-room', { hasText: 'pwned' }).waitFor()
  expect((await looked(victim)).wrong).toEqual([])
  await victim.page.keyboard.press('Escape')
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

test('nor do a thousand payloads that are found, searched for, or come while one looks', async () => {
  const daemon = await Daemon.start()
  const mallory = await Robot.connect(daemon.port, 'mallory')
  await mallory.sayAll('lobby', PAYLOADS)
  const victim = await Person.enter(browser, daemon.url, 'victim')
  await victim.sees('pwned')
  // All that are found, page by page.
  await victim.page.keyboard.press('Control+Shift+F')
  await victim.page.keyboard.type('pwned')
  await victim.dialog.getByRole('option').first().waitFor()
  const hits = (): Promise<number> =>
    victim.page.evaluate(() => {
      const list = document.getElementById('hits')!
      list.scrollTop = list.scrollHeight
      return list.childElementCount
    })
  await expect.poll(hits, { timeout: 4 * PATIENCE, interval: 20 }).toBe(PAYLOADS.filter((payload) => /pwned/.test(payload)).length)
  expect((await looked(victim)).wrong).toEqual([])
  // The field itself, and what is made of it.
  for (const payload of PAYLOADS.slice(0, 60)) await victim.dialog.getByRole('combobox').fill(payload.replace(/[\n\t]/g, ' '))
  expect((await looked(victim)).wrong).toEqual([])
  await victim.page.keyboard.press('Escape')

  // Live: texts that change, reactions that come, previews of both, what is said of an answer.
  const first = await mallory.ask('say', { room: 'lobby', text: 'look at this' })
  await victim.sees('look at this')
  await victim.page.locator('.message', { hasText: 'look at this' }).last().hover()
  await victim.page.getByRole('button', { name: 'Answer' }).last().click()
  for (const [i, payload] of PAYLOADS.entries()) {
    await mallory.ask('edit', { room: 'lobby', seq: first.seq, text: payload })
    await mallory.ask('react', { room: 'lobby', seq: Number(first.seq) - 1 - (i >> 5), reaction: SHORT[i]!, on: true })
    if (i % 100 === 0) expect((await looked(victim)).wrong).toEqual([])
  }
  // What is said after them has come after them: now the page knows of all.
  await mallory.ask('say', { room: 'lobby', text: 'that was all' })
  await victim.sees('that was all')
  const live = await looked(victim, true)
  expect(live.wrong).toEqual([])
  expect(live.reactions).toBe(PAYLOADS.length)
  expect(victim.complaints).toEqual([])
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
