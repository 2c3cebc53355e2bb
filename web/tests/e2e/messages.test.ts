/** What is done to messages: answered, edited, deleted, reacted to; by keys, by pointer, by finger. */

import { decode, encode } from '@msgpack/msgpack'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { PATIENCE, Person, startBrowser, type Look } from './support/browser'
import { Daemon, program } from './support/daemon'
import { Robot } from './support/robot'
import { Terminal } from './support/terminal'

let browser: Browser
let daemon: Daemon
let people: Person[]

beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())
beforeEach(async () => {
  people = []
  daemon = await Daemon.start()
})
afterEach(async () => {
  for (const person of people) await person.leave()
  for (const person of people) expect(person.complaints).toEqual([])
})

async function enter(name: string, look: Look = {}): Promise<Person> {
  const person = await Person.enter(browser, daemon.url, name, look)
  people.push(person)
  return person
}

const message = (person: Person, text: string) => person.page.locator('.message', { hasText: text }).last()

test('two browsers and a terminal see an edit, a reaction, an answer and a deletion, and so does who comes later', async () => {
  const [ann, bob] = [await enter('ann'), await enter('bob')]
  const terminal = new Terminal(program('klatch'), [
    '--line', '--plain', '--server', `127.0.0.1:${daemon.port}`, '--name', 'carol', '--room', 'lobby',
  ])
  terminal.says('from the terminal')
  await ann.sees('from the terminal')
  await ann.say('a frist try')
  await bob.sees('a frist try')

  // The arrow up puts right what one said last.
  await ann.composer.press('ArrowUp')
  await ann.page.getByText('Editing what you said').waitFor()
  expect(await ann.composer.inputValue()).toBe('a frist try')
  await ann.say('a first try')
  await bob.sees('a first try')
  await message(bob, 'a first try').getByText('edited').waitFor()
  await terminal.hears('a first try')

  // By pointer: an emoji for what the terminal said, and the same again by a press on it.
  await message(bob, 'from the terminal').hover()
  await message(bob, 'from the terminal').getByRole('button', { name: 'React' }).click()
  await bob.dialog.getByLabel('Search emoji').fill('tada')
  await bob.dialog.getByRole('button', { name: 'party popper' }).first().click()
  const chip = ann.page.getByRole('button', { name: '🎉: bob' })
  await chip.click()
  await bob.page.getByRole('button', { name: '🎉: you and ann' }).waitFor()
  // Which of the two is told first is nobody's promise.
  await chip.waitFor({ state: 'detached' })

  // By keys: up to the messages, and an answer.
  await bob.composer.press('Control+ArrowUp')
  await bob.page.keyboard.press('r')
  await bob.page.getByText('Answering ann').waitFor()
  await bob.say('much better')
  await ann.page.locator('.message.for-me', { hasText: 'much better' }).getByRole('button', { name: 'Answers ann a first try' }).waitFor()
  await terminal.hears('much better')

  await ann.say('a secret')
  await bob.sees('a secret')
  await ann.composer.press('Control+ArrowUp')
  await ann.page.keyboard.press('Delete')
  await ann.dialog.getByRole('button', { name: 'Delete', exact: true }).click()
  await bob.page.getByText('This message was deleted.').waitFor()

  const shown = (person: Person) => person.page.locator('.message').evaluateAll((rows) => rows.map((row) => [row.getAttribute('data-seq'), row.querySelector('.body')?.textContent?.replace(/\d\d:\d\d/, '').replace(/you and ann|ann and you/, '')]))
  const dan = await enter('dan')
  await dan.page.getByText('This message was deleted.').waitFor()
  await dan.page.getByRole('button', { name: '🎉: bob and ann' }).waitFor()
  expect(await shown(dan)).toEqual(await shown(bob))
  expect(JSON.stringify(await shown(dan))).not.toContain('a secret')
  await expect.poll(() => ann.stored(), { timeout: PATIENCE }).not.toContain('a secret')

  // After a reload what was kept in the browser and what comes anew are the same.
  const before = await shown(bob)
  await bob.isKept('much better')
  await bob.page.reload()
  await bob.sees('much better')
  await bob.page.getByText('Online', { exact: true }).waitFor()
  expect(await shown(bob)).toEqual(before)
  expect(await terminal.ends()).toBe(0)
})

test('a reaction is taken back, an edit is given up, an empty one asks whether to delete', async () => {
  const ann = await enter('ann')
  await ann.say('one')
  await ann.sees('one')
  await ann.composer.press('Control+ArrowUp')
  await ann.page.keyboard.press('+')
  await ann.dialog.getByRole('button', { name: 'thumbs up' }).first().click()
  const chip = ann.page.getByRole('button', { name: /^👍/ })
  await chip.waitFor()
  expect(await chip.getAttribute('aria-pressed')).toBe('true')
  await chip.click()
  await chip.waitFor({ state: 'detached' })

  await ann.composer.fill('half written')
  await message(ann, 'one').hover()
  await message(ann, 'one').getByRole('button', { name: 'Edit' }).click()
  expect(await ann.composer.inputValue()).toBe('one')
  await ann.composer.press('Escape')
  expect(await ann.composer.inputValue()).toBe('half written')
  await ann.composer.fill('')
  await ann.composer.press('ArrowUp')
  await ann.say('')
  await ann.dialog.getByRole('button', { name: 'Keep it' }).click()
  await ann.composer.press('Escape')
  expect(await ann.page.locator('.message').count()).toBe(1)
})

test('on a phone a tap on a message opens what can be done with it', async () => {
  const ann = await enter('ann', { width: 360, height: 740 })
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.ask('say', { room: 'lobby', text: 'tap on me' })
  await ann.sees('tap on me')
  await message(ann, 'tap on me').locator('.text').tap()
  await ann.dialog.getByRole('button', { name: 'React with 👍' }).tap()
  await ann.page.getByRole('button', { name: '👍: you' }).waitFor()
  await message(ann, 'tap on me').locator('.text').tap()
  await ann.dialog.getByRole('button', { name: 'Answer' }).tap()
  await ann.composer.fill('answered')
  await ann.page.getByRole('button', { name: 'Send' }).tap()
  await ann.page.getByRole('button', { name: 'Answers robot tap on me' }).waitFor()
  await message(ann, 'answered').locator('.text').tap()
  await ann.dialog.getByRole('button', { name: 'Delete…' }).tap()
  await ann.dialog.getByRole('button', { name: 'Delete', exact: true }).tap()
  await ann.page.getByText('This message was deleted.').waitFor()
  robot.end()
})

test('what is done without a connection is done once it is back, once', async () => {
  // Of accounts: a guest's end with the server.
  const [ann, bob] = [await Person.register(browser, daemon.url, 'ann'), await Person.register(browser, daemon.url, 'bob')]
  people.push(ann, bob)
  await ann.say('before')
  await bob.sees('before')
  await bob.say('bob was here')
  await ann.sees('bob was here')
  await ann.isKept('bob was here')
  await daemon.kill()
  await ann.page.getByText('Offline').waitFor()
  await ann.composer.press('ArrowUp')
  await ann.say('after')
  await message(ann, 'after').getByText('saving…').waitFor()
  await message(ann, 'bob was here').hover()
  await message(ann, 'bob was here').getByRole('button', { name: 'More' }).click()
  await ann.dialog.getByRole('button', { name: 'React with 👍' }).click()
  await ann.page.getByRole('button', { name: '👍: you' }).waitFor()
  await ann.page.reload()
  await message(ann, 'after').getByText('saving…').waitFor()
  await daemon.run()
  await ann.page.getByRole('button', { name: 'Try now' }).click({ timeout: 5_000 }).catch(() => {})
  await bob.page.getByRole('button', { name: 'Try now' }).click({ timeout: 5_000 }).catch(() => {})
  await message(bob, 'after').getByText('edited').waitFor()
  await bob.page.getByRole('button', { name: '👍: ann' }).waitFor()
  expect(await bob.page.locator('.reaction').allTextContents()).toEqual(['👍1'])
  await message(ann, 'after').getByText('edited').waitFor()
})

test('an answer leads to what it answers, however old that is, and the way back is one press', async () => {
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.sayAll('lobby', Array.from({ length: 900 }, (_, i) => `line ${i}.`))
  await robot.ask('say', { room: 'lobby', text: 'as I said', re: 31 })
  const ann = await enter('ann')
  await ann.isLedTo('line 30.', () => ann.page.getByRole('button', { name: 'Answers robot line 30.' }).click())
  await robot.ask('say', { room: 'lobby', text: 'meanwhile' })
  await ann.page.getByRole('button', { name: /^Newest|new$/ }).click()
  await ann.sees('meanwhile')
  await ann.newestIsInSight()
  robot.end()
})

test('a server that is busy is asked again for an old message, and one that stays busy is told of', async () => {
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.sayAll('lobby', Array.from({ length: 400 }, (_, i) => `line ${i}.`))
  await robot.ask('say', { room: 'lobby', text: 'as I said', re: 31 })
  const ann = await Person.register(browser, daemon.url, 'ann')
  people.push(ann)
  // From here on pages around a message are refused, as often as `busy` says: it stands in for a server's bad moment.
  let busy = 0
  let wait = 200
  let refused = 0
  await ann.page.routeWebSocket(/./, (socket) => {
    const server = socket.connectToServer()
    socket.onMessage((body) => {
      const [, id, method, [params]] = decode(body as Buffer) as [number, number, string, [Record<string, unknown>]]
      if (method !== 'history' || Number(params['limit']) === 1 || params['around'] === undefined || busy === 0) {
        server.send(body)
        return
      }
      busy -= 1
      refused += 1
      const error = { code: 404, name: 'busy', text: 'the server is busy', applied: 'no', retry_after_ms: wait }
      socket.send(Buffer.from(encode([1, id, error, null])))
    })
  })
  await ann.page.reload()
  const quoted = ann.page.getByRole('button', { name: 'Answers robot line 30.' })
  await quoted.waitFor()
  busy = 100
  await quoted.click()
  await ann.page.getByText('The server is busy. Try again in').waitFor()
  expect(refused).toBe(5)
  busy = 3
  await ann.isLedTo('line 30.', () => quoted.click())
  expect(refused).toBe(8)
  // Nobody is led anywhere a minute later.
  await ann.page.getByRole('button', { name: /^Newest|new$/ }).click()
  busy = 1
  wait = 60_000
  await quoted.click()
  await ann.page.getByText('The server is busy. Try again in 60 s.').waitFor()
  expect(refused).toBe(9)
  robot.end()
})

test('what was said is seen behind a thousand entries that show nothing by themselves', async () => {
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.sayAll('lobby', ['the first word', 'the second'])
  for (let i = 0; i < 10; i++) {
    for (const on of [true, false]) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => robot.ask('react', { room: 'lobby', seq: 1 + (j & 1), reaction: `r${j >> 1}`, on })))
    }
  }
  await robot.ask('react', { room: 'lobby', seq: 1, reaction: 'done', on: true })
  const ann = await enter('ann')
  await ann.sees('the first word')
  await ann.sees('the second')
  await ann.page.getByText('This is where the room begins.').waitFor()
  await ann.page.getByRole('button', { name: 'done: robot' }).waitFor()
  robot.end()
})

test('a moderator deletes what others said, and who is muted is told so', async () => {
  const ann = await enter('ann')
  const bob = await enter('bob')
  await ann.creates('den')
  await bob.page.keyboard.press('Control+k')
  await bob.page.getByRole('combobox', { name: 'Room or person' }).fill('den')
  await bob.page.keyboard.press('Enter')
  await bob.page.getByRole('heading', { name: 'den', level: 1 }).waitFor()
  await bob.say('spam')
  await ann.sees('spam')
  await message(ann, 'spam').hover()
  await message(ann, 'spam').getByRole('button', { name: 'More' }).click()
  await ann.dialog.getByRole('button', { name: /^Mute, put out, ban bob/ }).click()
  await ann.dialog.getByRole('button', { name: 'Mute…' }).click()
  await ann.dialog.getByRole('button', { name: 'Mute bob' }).click()
  await ann.dialog.waitFor({ state: 'detached' })
  await message(ann, 'spam').hover()
  await message(ann, 'spam').getByRole('button', { name: 'More' }).click()
  await ann.dialog.getByRole('button', { name: 'Delete…' }).click()
  await ann.dialog.getByRole('button', { name: 'Delete', exact: true }).click()
  await bob.page.getByText('This message was deleted.').waitFor()
  await bob.say('more spam')
  await bob.page.getByText(/You are muted in this room, until/).waitFor()
  await bob.page.locator('.pending.refused').waitFor()
  await ann.page.getByRole('button', { name: 'What to do about bob' }).click()
  await ann.dialog.getByText(/^Muted until/).waitFor()
  await ann.dialog.getByRole('button', { name: 'Let them write again' }).click()
  await bob.page.getByRole('button', { name: 'Send again' }).click()
  await ann.sees('more spam')
})
