/** Blocking: who writes to whom directly no more, and how that is undone. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

const blocked = (person: Person) => person.page.getByText('neither of you can write here')

async function opensBlocks(person: Person): Promise<void> {
  await person.opensSettings()
  await person.page.getByRole('button', { name: 'Blocked people' }).click()
  await person.dialog.getByText('In rooms nothing changes.').waitFor()
}

test('who is blocked writes directly no more, on any device and after a reload, until they are unblocked', async () => {
  const daemon = await Daemon.start()
  const [ann, bob] = [await Person.register(browser, daemon.url, 'ann'), await Person.register(browser, daemon.url, 'bob')]
  await bob.page.getByRole('complementary').getByRole('button', { name: 'ann', exact: true }).click()
  await bob.page.getByRole('heading', { name: 'ann', level: 1 }).waitFor()
  await bob.say('buy my things')
  await ann.goTo('bob')
  await ann.sees('buy my things')
  await ann.page.getByRole('button', { name: 'More about bob' }).first().click()
  await ann.dialog.getByRole('button', { name: 'Block…' }).click()
  await ann.dialog.getByRole('button', { name: 'Block bob' }).click()
  await ann.page.getByText('bob is blocked.').waitFor()
  await blocked(ann).waitFor()
  expect(await ann.composer.isDisabled()).toBe(true)
  await bob.say('and these')
  await bob.page.getByRole('status').getByText(/^Ann takes no direct messages from you/).waitFor()
  await bob.page.locator('.pending.refused').waitFor()

  // In rooms nothing changes.
  await bob.goTo('lobby')
  await bob.say('hello, all')
  await ann.goTo('lobby')
  await ann.sees('hello, all')

  await ann.page.reload()
  const phone = await Person.logIn(browser, daemon.url, 'ann', { width: 360, height: 740 })
  await phone.page.getByRole('button', { name: 'Show the rooms' }).click()
  await phone.goTo('bob')
  await blocked(phone).waitFor()
  await ann.goTo('bob')
  await blocked(ann).waitFor()
  await opensBlocks(ann)
  await ann.dialog.getByRole('button', { name: 'Unblock bob' }).click()
  await ann.dialog.getByText('You block nobody.').waitFor()
  await ann.closesDialog()
  await blocked(ann).waitFor({ state: 'detached' })
  await bob.goTo('ann')
  await bob.page.getByRole('button', { name: 'Send again' }).click()
  await ann.sees('and these')

  // From a message in a room, by somebody who moderates nothing there; and undone in the conversation.
  await ann.goTo('lobby')
  await ann.page.locator('.message', { hasText: 'hello, all' }).hover()
  await ann.page.getByRole('button', { name: 'More', exact: true }).click()
  await ann.dialog.getByRole('button', { name: 'Block bob…' }).click()
  await ann.dialog.getByRole('button', { name: 'Block…' }).click()
  await ann.dialog.getByRole('button', { name: 'Block bob' }).click()
  await ann.page.getByText('bob is blocked.').waitFor()
  await ann.goTo('bob')
  await ann.page.getByRole('button', { name: 'Unblock' }).click()
  await blocked(ann).waitFor({ state: 'detached' })
  await ann.say('well then')
  await bob.sees('well then')
  for (const person of [ann, bob, phone]) {
    expect(person.complaints).toEqual([])
    await person.leave()
  }
})

test('a guest is offered no blocking, which it could not do', async () => {
  const daemon = await Daemon.start()
  const ann = await Person.enter(browser, daemon.url, 'ann')
  const bob = await Person.enter(browser, daemon.url, 'bob')
  await bob.say('hello')
  await ann.sees('hello')
  const people = ann.page.getByRole('complementary')
  await people.getByRole('button', { name: 'bob', exact: true }).waitFor()
  expect(await people.getByRole('button', { name: 'What to do about bob' }).count()).toBe(0)
  await ann.page.locator('.message', { hasText: 'hello' }).hover()
  await ann.page.getByRole('button', { name: 'More', exact: true }).click()
  await ann.dialog.getByRole('button', { name: 'Mention bob' }).waitFor()
  expect(await ann.dialog.getByRole('button', { name: /Block/ }).count()).toBe(0)
  await ann.closesDialog()
  await ann.opensSettings()
  expect(await ann.dialog.getByRole('button', { name: 'Blocked people' }).count()).toBe(0)
  expect(ann.complaints).toEqual([])
  await ann.leave()
  await bob.leave()
})
