/** What becomes of a room: another name, its end, how much of it is kept; and the way to it by its address. */

import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import { PATIENCE, Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { Robot } from './support/robot'

let browser: Browser
let people: Person[] = []

beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())
afterEach(async () => {
  for (const person of people) await person.leave()
  for (const person of people) expect(person.complaints).toEqual([])
  people = []
})

/** Ann owns the room "plans", which Bob is in. */
async function two(settings: Record<string, string> = {}): Promise<{ ann: Person; bob: Person; daemon: Daemon }> {
  const daemon = await Daemon.start(settings)
  for (const name of ['ann', 'bob']) people.push(await Person.register(browser, daemon.url, name))
  const [ann, bob] = people as [Person, Person]
  await ann.creates('plans')
  await joins(bob, 'plans')
  return { ann, bob, daemon }
}

async function joins(person: Person, room: string): Promise<void> {
  await person.page.keyboard.press('Control+k')
  await person.page.getByRole('combobox', { name: 'Room or person' }).fill(room)
  await person.page.keyboard.press('Enter')
  await isIn(person, room)
}

const isIn = (person: Person, room: string): Promise<void> =>
  person.page.getByRole('heading', { name: room, level: 1, includeHidden: true }).waitFor()
const link = (person: Person, label: string) => person.page.getByRole('navigation').getByRole('button', { name: label, exact: true })
const address = (person: Person): string => new URL(person.page.url()).hash

async function setsRoom(person: Person): Promise<void> {
  await person.page.getByRole('button', { name: 'Settings of the room' }).click()
  await person.dialog.waitFor()
}

async function renames(person: Person, to: string): Promise<void> {
  await setsRoom(person)
  await person.page.getByRole('button', { name: 'Give it another name…' }).click()
  await person.page.getByLabel('Its new name').fill(to)
  await person.page.getByRole('button', { name: `Call it #${to}` }).click()
}

async function closes(person: Person): Promise<void> {
  await person.page.keyboard.press('Escape')
  await person.dialog.waitFor({ state: 'detached' })
}

test('a page follows a room that gets another name: what was said, what is half written, its address, what is unread', async () => {
  const { ann, bob } = await two()
  await ann.say('the first word')
  await bob.sees('the first word')
  await bob.composer.pressSequentially('half writ')
  await bob.page.evaluate(() => Object.assign(document.activeElement!, { mark: true }))
  expect(address(bob)).toBe('#plans')
  const steps = await bob.page.evaluate(() => history.length)
  // A name that is taken is refused in words.
  await renames(ann, 'lobby')
  await ann.dialog.getByRole('alert').waitFor()
  await ann.page.getByLabel('Its new name').fill('dreams')
  await ann.page.getByRole('button', { name: 'Call it #dreams' }).click()
  await isIn(bob, 'dreams')
  await bob.page.locator('.line', { hasText: 'ann gave the room another name: #plans is #dreams now' }).waitFor()
  await bob.sees('the first word')
  // The field is the same one, with the cursor where it was.
  expect(await bob.page.evaluate(() => (document.activeElement as unknown as { mark?: boolean }).mark)).toBe(true)
  await bob.page.keyboard.type('ten')
  await bob.page.keyboard.press('Enter')
  await closes(ann)
  await ann.sees('half written')
  expect([address(bob), await bob.page.evaluate(() => history.length)]).toEqual(['#dreams', steps])
  expect(await link(bob, 'plans').count()).toBe(0)

  // One that is not looked at goes on counting.
  await bob.goTo('lobby')
  await ann.say('one for @bob')
  await link(bob, 'dreams, 1 for you').waitFor()
  await renames(ann, 'hall')
  await link(bob, 'hall, 1 for you').waitFor()
  await closes(ann)
  await ann.say('two for @bob')
  await link(bob, 'hall, 2 for you').waitFor()
  await bob.goTo('hall')
  await bob.sees('two for @bob')
  await bob.page.locator('.new').waitFor()
  const texts = await bob.page.locator('.message .text').allTextContents()
  expect(texts).toEqual(['the first word', 'half written', 'one for @bob', 'two for @bob'])
})

test('a page that was away finds the room by its other name, and says there what waited', async () => {
  const { ann, bob, daemon } = await two()
  await ann.say('the first word')
  await bob.sees('the first word')
  await bob.isKept('the first word')
  // Without a connection, with a text that waits.
  await bob.context.setOffline(true)
  await bob.page.reload().catch(() => {})
  await bob.page.getByText('Offline').waitFor()
  await bob.say('said while away')
  await bob.page.locator('.pending').waitFor()
  await renames(ann, 'dreams')
  await closes(ann)
  await ann.say('meanwhile')
  await bob.context.setOffline(false)
  await bob.page.getByRole('button', { name: 'Try now' }).click({ timeout: 5_000 }).catch(() => {})
  await isIn(bob, 'dreams')
  await ann.sees('said while away')
  await bob.sees('said while away')
  expect(await bob.page.locator('.message .text').allTextContents()).toEqual(['the first word', 'meanwhile', 'said while away'])
  await bob.isKept('said while away')

  // Not there at all, while the server starts anew too; and the old name is another room by then.
  await bob.page.goto('about:blank')
  await renames(ann, 'hall')
  await closes(ann)
  await ann.creates('dreams')
  await ann.say('another room')
  await ann.goTo('hall')
  await ann.say('only for the hall')
  await ann.sees('only for the hall')
  await daemon.kill()
  await daemon.run()
  await bob.page.goto(daemon.url)
  await bob.page.getByText('Online', { exact: true }).waitFor()
  await bob.goTo('hall')
  await bob.sees('only for the hall')
  await expect.poll(() => bob.page.locator('.message .text').allTextContents()).toEqual(
    ['the first word', 'meanwhile', 'said while away', 'only for the hall'])
  expect(await link(bob, 'dreams').count()).toBe(0)
})

test('a room is deleted when its name is typed again, and everybody is told', async () => {
  const { ann, bob, daemon } = await two()
  await ann.say('never again heard of')
  await bob.sees('never again heard of')
  await setsRoom(ann)
  await ann.page.getByRole('button', { name: 'Delete the room…' }).click()
  const really = ann.page.getByRole('button', { name: 'Delete #plans' })
  expect(await really.isDisabled()).toBe(true)
  await ann.page.getByLabel('Type plans to delete it').fill('plan')
  expect(await really.isDisabled()).toBe(true)
  await ann.page.keyboard.press('Enter')
  await ann.page.getByLabel('Type plans to delete it').fill('plans')
  await really.click()
  await isIn(ann, 'lobby')
  await ann.dialog.waitFor({ state: 'detached' })
  await ann.page.getByText('#plans is deleted.').waitFor()
  await bob.page.getByText('ann deleted this room.').waitFor()
  expect(await bob.composer.isDisabled()).toBe(true)
  expect(await bob.page.getByRole('button', { name: 'Join again' }).count()).toBe(0)
  await expect.poll(() => bob.stored(), { timeout: PATIENCE }).not.toContain('never again')
  await bob.page.getByRole('button', { name: 'Close', exact: true }).click()
  await isIn(bob, 'lobby')
  // A name that is taken again while the end of the first is still shown.
  await ann.creates('plans')
  await joins(bob, 'plans')
  await ann.say('a new beginning')
  await bob.sees('a new beginning')
  // Who was away is told when they are back.
  await bob.isKept('a new beginning')
  await bob.page.goto('about:blank')
  await setsRoom(ann)
  await ann.page.getByRole('button', { name: 'Delete the room…' }).click()
  await ann.page.getByLabel('Type plans to delete it').fill('plans')
  await really.click()
  await isIn(ann, 'lobby')
  await bob.page.goto(daemon.url)
  await bob.page.getByText('You are not in #plans any more').waitFor()
  await isIn(bob, 'lobby')
  expect(await link(bob, 'plans').count()).toBe(0)
  // The rooms that the server makes stay, and so do their names.
  const olga = await Person.arrive(browser, `${daemon.url}#invite=${daemon.invitation!}`)
  people.push(olga)
  await olga.page.getByLabel('Invitation code').waitFor()
  await olga.fillIn('olga', 'correct horse')
  await olga.composer.waitFor()
  await renames(olga, 'hall')
  await olga.dialog.getByRole('alert').waitFor()
})

test('an owner says how much is kept, in days, messages and MB; the others are told', async () => {
  const { ann, bob, daemon } = await two()
  for (let i = 0; i < 30; i++) await ann.say(`line ${i}.`)
  await bob.sees('line 29.')
  await setsRoom(ann)
  await ann.dialog.getByText('What the server keeps.').waitFor()
  await ann.page.getByRole('button', { name: 'Change…' }).click()
  const [days, messages, megabytes] = ['Days', 'Messages', 'MB'].map((name) => ann.page.getByRole('spinbutton', { name }))
  const save = ann.page.getByRole('button', { name: 'Save', exact: true })
  expect(await save.isDisabled()).toBe(true)
  await days!.fill('2')
  await messages!.fill('10')
  await megabytes!.fill('0.5')
  await save.click()
  await ann.dialog.getByText('Messages for 2 days, 10 at most, 500 kB at most.').waitFor()
  await bob.page.locator('.line', { hasText: 'ann set what the room keeps: messages for 2 days, 10 at most, 500 kB at most' }).waitFor()
  // It is so: who comes anew finds no more.
  const robot = await Robot.connect(daemon.port, 'robot')
  await robot.ask('join', { room: 'plans' })
  daemon.reload()
  const left = async (): Promise<string[]> => (await robot.ask('history', { room: 'plans' })).entries.map(({ text }) => text)
  await expect.poll(left, { timeout: PATIENCE }).toEqual(Array.from({ length: 10 }, (_, i) => `line ${20 + i}.`))
  robot.end()
  const eve = await Person.enter(browser, daemon.url, 'eve')
  people.push(eve)
  await joins(eve, 'plans')
  await eve.page.getByText('Older messages are kept no longer. The room keeps messages for 2 days').waitFor()
  expect(await eve.page.locator('.message .text').count()).toBe(10)
  // What is emptied is left to the server again.
  await ann.page.getByRole('button', { name: 'Change…' }).click()
  expect(await Promise.all([days, messages, megabytes].map((each) => each!.inputValue()))).toEqual(['2', '10', '0.5'])
  for (const each of [days, messages, megabytes]) await each!.fill('')
  await save.click()
  await ann.dialog.getByText('What the server keeps.').waitFor()
  await bob.page.locator('.line', { hasText: 'ann set what the room keeps: what the server does' }).waitFor()
})

test('the address of a room leads there, also those who are not in it', async () => {
  const { ann, bob, daemon } = await two()
  await ann.creates('attic')
  await ann.say('come up')
  expect(address(ann)).toBe('#attic')
  await bob.page.goto(ann.page.url())
  await bob.page.reload()
  const question = bob.page.getByRole('region', { name: 'Invitations' })
  await question.getByText('The address leads to #attic').waitFor()
  await question.getByRole('button', { name: 'Join' }).click()
  await isIn(bob, 'attic')
  await bob.sees('come up')
  await question.waitFor({ state: 'detached' })
  // There and back again.
  await bob.goTo('lobby')
  await bob.page.goBack()
  await isIn(bob, 'attic')
  await bob.page.goto(`${daemon.url}#nowhere`)
  await question.getByText('The address leads to #nowhere').waitFor()
  await question.getByRole('button', { name: 'Join' }).click()
  await bob.page.getByRole('status').getByText(/no such room/i).waitFor()
  await question.waitFor({ state: 'detached' })
})
