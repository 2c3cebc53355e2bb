/** People chat: two in browsers, one in a terminal. */

import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

import { Person, startBrowser } from './support/browser'
import { Daemon, program } from './support/daemon'
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

async function enter(name: string): Promise<Person> {
  const person = await Person.enter(browser, daemon.url, name)
  people.push(person)
  return person
}

test('two browsers and a terminal chat', async () => {
  const [ann, bob] = [await enter('ann'), await enter('bob')]
  await ann.say('Hello from **ann**')
  await bob.sees('Hello from ann')
  expect(await bob.page.locator('.text strong').textContent()).toBe('ann')
  await bob.say('hi @ann')
  await ann.page.locator('.message.for-me .mention.me').waitFor()

  const terminal = new Terminal(program('klatch'), [
    '--line', '--plain', '--server', `127.0.0.1:${daemon.port}`, '--name', 'carol', '--room', 'lobby',
  ])
  terminal.says('from the terminal')
  await ann.sees('from the terminal')
  await bob.sees('from the terminal')
  await bob.say('to the terminal')
  await terminal.hears('to the terminal')
  expect(await terminal.ends()).toBe(0)
})

test('a reload loses nothing, and doubles nothing', async () => {
  const ann = await enter('ann')
  const bob = await enter('bob')
  for (let i = 0; i < 5; i++) await ann.say(`before ${i}`)
  await bob.sees('before 4')
  await ann.page.reload()
  await ann.sees('before 4')
  await bob.say('after')
  await ann.sees('after')
  expect(await ann.page.locator('.message .text').allTextContents()).toEqual([
    'before 0', 'before 1', 'before 2', 'before 3', 'before 4', 'after',
  ])
})

test('rooms, direct messages, topics, counts', async () => {
  const ann = await enter('ann')
  const bob = await enter('bob')
  await ann.page.getByRole('button', { name: 'Browse or create rooms' }).click()
  await ann.page.getByLabel('Find a room, or name a new one').fill('garden')
  await ann.page.getByLabel('Topic of the new room').fill('What grows')
  await ann.page.getByRole('button', { name: 'Create #garden' }).click()
  await ann.page.getByRole('heading', { name: 'garden', level: 1 }).waitFor()
  await ann.page.getByRole('button', { name: 'Topic: What grows' }).waitFor()

  await bob.page.keyboard.press('Control+k')
  await bob.page.getByRole('combobox', { name: 'Room or person' }).fill('garden')
  await bob.page.keyboard.press('Enter')
  await bob.page.getByRole('heading', { name: 'garden', level: 1 }).waitFor()
  await ann.page.getByText('bob joined').waitFor()
  await bob.goTo('lobby')

  await ann.say('one')
  await ann.say('two for @bob')
  await bob.page.getByRole('button', { name: 'garden, 1 for you' }).waitFor()
  expect(await bob.page.title()).toBe('(1) lobby · Klatch')
  await bob.goTo('garden')
  await bob.sees('two for @bob')
  await bob.page.locator('.new').waitFor()
  await expect.poll(() => bob.page.title()).toBe('garden · Klatch')

  await bob.page.getByRole('complementary').getByRole('button', { name: 'ann' }).click()
  await bob.page.getByRole('heading', { name: 'ann', level: 1 }).waitFor()
  await bob.composer.pressSequentially('psst')
  await ann.page.getByRole('button', { name: 'bob' }).first().waitFor()
  await ann.goTo('bob')
  await ann.page.getByText('bob is writing').waitFor()
  await bob.page.keyboard.press('Enter')
  await ann.sees('psst')

  await bob.goTo('garden')
  await bob.page.getByRole('button', { name: 'Leave this room' }).click()
  await bob.page.getByRole('button', { name: 'Leave', exact: true }).click()
  await bob.page.getByRole('heading', { name: 'garden', level: 1 }).waitFor({ state: 'detached' })
})

test('names that are taken are answered with one that is free', async () => {
  await enter('ann')
  const other = await Person.arrive(browser, daemon.url)
  people.push(other)
  await other.page.getByLabel('Your name').fill('ann')
  await other.page.getByRole('button', { name: 'Start chatting' }).click()
  await other.page.getByRole('button', { name: /^Use .* instead$/ }).click()
  await other.composer.waitFor()
})

test('names and emoji are completed', async () => {
  const ann = await enter('ann')
  await enter('bob')
  await ann.composer.pressSequentially('hey @b')
  await ann.page.getByRole('option', { name: 'bob' }).waitFor()
  await ann.page.keyboard.press('Tab')
  expect(await ann.composer.inputValue()).toBe('hey @bob ')
  await ann.composer.pressSequentially(':tad')
  await ann.page.getByRole('option', { name: ':tada:' }).waitFor()
  await ann.page.keyboard.press('Enter')
  expect(await ann.composer.inputValue()).toBe('hey @bob 🎉 ')
  await ann.page.keyboard.press('Enter')
  await ann.sees('hey @bob 🎉')
  await ann.page.keyboard.press('ArrowUp')
  expect(await ann.composer.inputValue()).toBe('hey @bob 🎉')
})

test('the connection comes back after kill -9, and says what waited', async () => {
  const ann = await enter('ann')
  const bob = await enter('bob')
  await ann.say('before')
  await bob.sees('before')
  await ann.isKept('before')
  await daemon.kill()
  await ann.page.getByText('Offline').waitFor()
  await ann.say('written offline')
  await ann.say('and this')
  await ann.page.locator('.pending').nth(1).waitFor()
  await ann.page.reload()
  await ann.page.locator('.pending').nth(1).waitFor()
  expect(await ann.page.locator('.message:not(.pending) .text').allTextContents()).toEqual(['before'])
  await daemon.run()
  await ann.page.getByRole('button', { name: 'Try now' }).click({ timeout: 5_000 }).catch(() => {})
  await bob.sees('and this')
  await ann.sees('and this')
  for (const person of [ann, bob]) {
    // A server that keeps nothing has forgotten what was before; one that does has it once.
    const texts = await person.page.locator('.message .text').allTextContents()
    expect(texts.filter((text) => text !== 'before')).toEqual(['written offline', 'and this'])
    expect(texts.filter((text) => text === 'before').length).toBeLessThanOrEqual(1)
  }
})

test('a second tab takes over, and the first can take back', async () => {
  const ann = await enter('ann')
  const second = await ann.context.newPage()
  await second.goto(daemon.url)
  await second.locator('.composer textarea').waitFor()
  await ann.page.getByRole('button', { name: 'Use it here' }).click()
  await ann.composer.waitFor()
  await second.getByRole('button', { name: 'Use it here' }).waitFor()
})

test('the page opens without a network, and shows what was loaded', async () => {
  const ann = await enter('ann')
  await ann.say('to be read later')
  await ann.sees('to be read later')
  await ann.isKept('to be read later')
  // The second load goes through the service worker, which keeps the shell then.
  await ann.page.evaluate(() => navigator.serviceWorker.ready)
  await ann.page.reload()
  await ann.sees('to be read later')
  await ann.page.waitForLoadState('networkidle')
  await ann.context.setOffline(true)
  await ann.page.reload()
  await ann.sees('to be read later')
  await ann.page.getByText('Offline').waitFor()
  await ann.context.setOffline(false)
  await ann.page.getByText('Online', { exact: true }).waitFor()
})
