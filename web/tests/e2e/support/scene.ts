/** A server with some life in it, and a walk through every view of the page. */

import type { Browser } from 'playwright-core'

import { Person } from './browser'
import type { Daemon } from './daemon'

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
  return { marta, jonas }
}

/** On a narrow screen a panel may still cover the room: at the left, or at the right. */
export async function closesPanel(person: Person, x = 350): Promise<void> {
  const scrim = person.page.getByRole('button', { name: 'Close the panel' })
  if ((await scrim.count()) > 0 && (await scrim.isVisible())) await scrim.click({ position: { x, y: 400 } })
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
