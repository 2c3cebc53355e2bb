/** A server with some life in it, and a walk through every view of the page. */

import type { Browser } from 'playwright-core'

import { Person } from './browser'
import type { Uint64 } from '../../../src/protocol'
import type { Daemon } from './daemon'
import { Robot } from './robot'

/** Two people who have talked for a while. */
export interface Scene {
  marta: Person
  jonas: Person
}

const CODE = '```rust\nfn main() {\n    println!("Hello, {}!", "lobby");\n}\n```'

export async function populate(browser: Browser, daemon: Daemon): Promise<Scene> {
  const marta = await Person.enter(browser, daemon.url, 'marta')
  const jonas = await Person.enter(browser, daemon.url, 'jonas.w')
  for (const [room, topic] of [
    ['garden', 'What grows, and what the snails left of it'],
    ['release', 'Version 0.2: what is missing'],
    ['music', 'Tonight at eight'],
  ]) {
    await marta.page.getByRole('button', { name: 'Browse or create rooms' }).click()
    await marta.page.getByLabel('Find a room, or name a new one').fill(room!)
    await marta.page.getByLabel('Topic of the new room').fill(topic!)
    await marta.page.getByRole('button', { name: `Create #${room}` }).click()
    await marta.page.getByRole('heading', { name: room!, level: 1 }).waitFor()
  }
  await marta.goTo('lobby')
  const talk: [Person, string][] = [
    [marta, 'Morning! The build is green again, the flaky test was a missing `await` after all.'],
    [jonas, 'Nice. Is that the one in the *reconnect* suite?'],
    [marta, 'Yes. It waited for the socket, but not for the room:'],
    [marta, CODE],
    [jonas, '> It waited for the socket, but not for the room\n\nWe should have a helper for that. Three places do the same:\n\n1. the catch-up after sleep\n2. the outbox\n3. presence, see https://example.org/klatch/issues/42'],
    [marta, '👍'],
    [jonas, 'I will write it **this afternoon**, unless somebody else wants to. Lunch first, though: who comes along? The place at the corner has the good soup on Mondays, and I would rather not go alone in this weather.'],
    [marta, 'Me! Half past twelve?'],
    [jonas, 'Half past twelve it is.'],
  ]
  for (const [person, text] of talk) {
    await person.say(text)
    await marta.page.locator('.pending').waitFor({ state: 'detached' })
    await jonas.page.locator('.pending').waitFor({ state: 'detached' })
  }
  await embellish(daemon)
  await jonas.page.getByText('This message was deleted.').waitFor()
  return { marta, jonas }
}

/** Somebody without a browser answers, edits, deletes, reacts. */
async function embellish(daemon: Daemon): Promise<void> {
  const sam = await Robot.connect(daemon.port, 'sam')
  const { entries } = await sam.ask('history', { room: 'lobby' })
  const seqOf = (text: string) => entries.find((entry) => entry.text.startsWith(text))!.seq
  const say = async (text: string, re?: Uint64) => (await sam.ask('say', { room: 'lobby', text, ...(re === undefined ? {} : { re }) })).seq
  const react = (seq: Uint64, reaction: string) => sam.ask('react', { room: 'lobby', seq, reaction, on: true })
  const answer = await say('Count me in, I am starving', seqOf('I will write it'))
  await sam.ask('edit', { room: 'lobby', seq: answer, text: 'Count me in! I am starving.' })
  await sam.ask('delete', { room: 'lobby', seq: await say('wrong window') })
  for (const reaction of ['🍲', '🎉', 'soup!']) await react(seqOf('Half past twelve it is'), reaction)
  await react(seqOf('Morning!'), '👍')
}

/** On a narrow screen a panel may still cover the room: at the left, or at the right. */
export async function closesPanel(person: Person, x = 350): Promise<void> {
  const scrim = person.page.getByRole('button', { name: 'Close the panel' })
  if ((await scrim.count()) > 0 && (await scrim.isVisible())) await scrim.click({ position: { x, y: 400 } })
}

/** What can be done with messages, and searching them. */
async function messageViews(person: Person, narrow: boolean, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = person
  const closes = async (): Promise<void> => {
    await page.keyboard.press('Escape')
    await person.dialog.waitFor({ state: 'detached' })
  }
  const lunch = page.locator('.message', { has: page.locator('.text', { hasText: /^Half past twelve it is\.$/ }) })
  const opens = async (): Promise<void> => {
    if (narrow) return lunch.locator('.text').tap()
    await lunch.hover()
    await lunch.getByRole('button', { name: 'More' }).click()
  }
  await opens()
  await person.dialog.getByText('Copy the text').waitFor()
  await look('message-menu')
  await person.dialog.getByRole('button', { name: 'React with another emoji' }).click()
  await person.dialog.getByLabel('Search emoji').fill('soup')
  await person.dialog.getByRole('button', { name: 'pot of food' }).waitFor()
  await look('react')
  await closes()
  await opens()
  await person.dialog.getByRole('button', { name: 'React with ❤️' }).click()
  await page.getByRole('button', { name: /^❤️: you/ }).waitFor()
  await opens()
  await person.dialog.getByRole('button', { name: 'Answer' }).click()
  await person.composer.fill('See you there')
  await look('answering')
  await person.composer.press('Enter')
  await person.sees('See you there')
  await person.newestIsInSight()
  await person.composer.press('ArrowUp')
  await page.getByText('Editing what you said').waitFor()
  await look('editing')
  await person.composer.press('Escape')
  await person.composer.press('Control+ArrowUp')
  await page.keyboard.press('Delete')
  await person.dialog.getByText('removed for good').waitFor()
  await look('delete-message')
  await closes()

  await page.getByRole('button', { name: 'Search what was said' }).click()
  await page.keyboard.type('starving')
  await person.dialog.getByText('1 found').waitFor()
  await person.dialog.getByRole('combobox').fill('the')
  await person.dialog.getByText(/found, the newest first/).waitFor()
  await look('search')
  await person.dialog.getByRole('combobox').fill('nothing like it')
  await person.dialog.getByText('Nothing was found.').waitFor()
  await look('search-nothing')
  await person.dialog.getByRole('combobox').fill('starving')
  await person.dialog.getByRole('option').first().click()
  await page.locator('.message.found').waitFor()
  await look('found')
  await person.composer.focus()
}

/** Walks through every view, and calls `look` at each. */
export async function views(
  { marta, jonas }: Scene,
  person: Person,
  name: string,
  look: (view: string) => Promise<void>,
): Promise<void> {
  const { page } = person
  const narrow = (page.viewportSize()?.width ?? 1280) < 720
  await page.getByLabel('Your name').waitFor()
  await look('sign-in')
  await page.getByLabel('Your name').fill('marta')
  await page.getByRole('button', { name: 'Start chatting' }).click()
  await page.getByRole('alert').waitFor()
  await look('name-taken')
  await person.signIn(name)
  await person.sees('Half past twelve it is.')
  await marta.say(`Welcome @${name}! Everything about the release is in #release.`)
  await person.sees('Everything about the release')
  await person.say('Thank you both 🙂')
  await person.sees('Thank you both')
  await person.newestIsInSight()
  await jonas.composer.pressSequentially('So')
  await page.getByText('jonas.w is writing').waitFor()
  await look('room')

  await person.composer.fill('')
  await person.composer.pressSequentially('Shall we ask @')
  await page.getByRole('listbox', { name: 'Suggestions' }).waitFor()
  await look('mention')
  await person.composer.fill('')
  await page.getByRole('button', { name: 'Emoji' }).click()
  await page.getByRole('tab', { name: 'Smileys' }).click()
  await page.getByRole('button', { name: 'grinning face', exact: true }).waitFor()
  await look('emoji')
  await page.keyboard.press('Escape')

  await page.locator('.message').nth(3).hover()
  await look('actions')
  await messageViews(person, narrow, look)
  if (narrow) {
    await page.getByRole('button', { name: 'Show the rooms' }).click()
    await look('rooms')
    await page.getByRole('button', { name: 'Close the panel' }).click({ position: { x: 350, y: 400 } })
    await page.getByRole('button', { name: /members?: show/ }).click()
    await look('members')
    await page.getByRole('button', { name: 'Close the panel' }).click({ position: { x: 8, y: 400 } })
  }
  const open = async (how: () => Promise<void>, view: string): Promise<void> => {
    await how()
    await page.getByRole('dialog').waitFor()
    await look(view)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await open(() => page.keyboard.press('Control+k'), 'switcher')
  await open(() => page.keyboard.press('Control+/'), 'keys')
  const inSidebar = async (button: string): Promise<void> => {
    if (narrow) await page.getByRole('button', { name: 'Show the rooms' }).click()
    await page.getByRole('button', { name: button }).first().click()
  }
  await open(async () => {
    await inSidebar('Browse or create rooms')
    await page.getByText('What grows').waitFor()
  }, 'browse')
  await closesPanel(person)
  await open(() => inSidebar('Write to somebody'), 'direct')
  await closesPanel(person)
  await open(() => inSidebar('Settings'), 'settings')
  await closesPanel(person)
  await open(() => page.getByRole('button', { name: 'Leave this room' }).click(), 'leave')
}
