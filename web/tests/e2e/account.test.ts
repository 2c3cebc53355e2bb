/** Accounts: made, entered by password on a second device, kept over a reload, left, deleted. */

import { expect, test } from 'vitest'

import { PASSWORD, Person, type Look } from './support/browser'
import { company } from './support/company'
import { Daemon } from './support/daemon'

const all = company()
const { here } = all
const registered = (daemon: Daemon, name: string): Promise<Person> =>
  here(Person.register(all.browser, daemon.url, name))
const again = (daemon: Daemon, name: string): Promise<Person> => here(Person.logIn(all.browser, daemon.url, name))
const arrived = (daemon: Daemon, path = '', look: Look = {}): Promise<Person> =>
  here(Person.arrive(all.browser, daemon.url + path, look))

const signedOut = (person: Person): Promise<void> => person.page.getByLabel('Your name').waitFor()
/** All that the browser keeps, but for settings. */
const kept = (person: Person): Promise<Record<string, unknown>> =>
  person.page.evaluate(() => ({ ...localStorage, address: location.href }))

test('an account is made, kept over a reload and a restart, and is one on two devices', async () => {
  const daemon = await Daemon.start()
  const first = await registered(daemon, 'Ann')
  await first.say('from the first')
  await first.sees('from the first')
  expect(JSON.stringify(await kept(first))).not.toContain(PASSWORD)
  const second = await again(daemon, 'ANN')
  await second.sees('from the first')
  await second.say('from the second')
  await first.sees('from the second')
  await first.page.reload()
  await first.sees('from the second')
  await daemon.kill()
  await first.page.getByText('Offline').waitFor()
  await first.say('while it was down')
  await daemon.run()
  await second.sees('while it was down')
  const texts = await second.page.locator('.message .text').allTextContents()
  expect(texts).toEqual(['from the first', 'from the second', 'while it was down'])
  // Closing the page logs nobody out.
  await first.page.close()
  const back = await first.context.newPage()
  await back.goto(daemon.url)
  await back.locator('.message', { hasText: 'while it was down' }).waitFor()
})

test('a room that one device joins or leaves, the other joins or leaves too', async () => {
  const daemon = await Daemon.start()
  const [first, second] = [await registered(daemon, 'ann'), await again(daemon, 'ann')]
  await first.creates('den')
  await second.goTo('den')
  await first.page.getByRole('button', { name: 'Leave this room' }).click()
  await first.page.getByRole('button', { name: 'Leave', exact: true }).click()
  const link = second.page.getByRole('navigation').getByRole('button', { name: 'den' })
  await link.waitFor({ state: 'detached' })
  // What was left while a page was closed stays left.
  await first.creates('attic')
  await second.goTo('attic')
  await second.isKept('attic')
  await second.page.goto('about:blank')
  await first.page.getByRole('button', { name: 'Leave this room' }).click()
  await first.page.getByRole('button', { name: 'Leave', exact: true }).click()
  await first.page.getByRole('heading', { name: 'attic', level: 1 }).waitFor({ state: 'detached' })
  await second.page.goto(daemon.url)
  await second.composer.waitFor()
  await second.page.getByText('Online', { exact: true }).waitFor()
  await second.page.getByRole('navigation').getByRole('button', { name: 'attic' }).waitFor({ state: 'detached' })
})

test('devices are listed and logged out, and a logged-out one keeps nothing', async () => {
  const daemon = await Daemon.start()
  const [first, second] = [await registered(daemon, 'ann'), await again(daemon, 'ann')]
  await first.say('a secret between us')
  await second.sees('a secret between us')
  await second.isKept('a secret between us')
  await first.opensSettings()
  await first.page.getByRole('button', { name: 'Devices' }).click()
  await first.dialog.getByText('this one').waitFor()
  await first.dialog.getByText('online now').waitFor()
  const list = first.dialog.locator('.devices li')
  expect(await list.count()).toBe(2)
  expect(await list.first().textContent()).toMatch(/Chrome on Linux/)
  await first.dialog.getByRole('button', { name: 'Log out Chrome on Linux' }).click()
  await second.page.getByText('This device was logged out from another one.').waitFor()
  await expect.poll(() => list.count()).toBe(1)
  expect((await kept(second))['klatch.identity']).toBeUndefined()
  await expect.poll(() => second.stored()).not.toContain('a secret between us')
  // The form asks for the password, with the name filled in.
  expect(await second.page.getByLabel('Your name').inputValue()).toBe('ann')
  await second.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await second.page.keyboard.press('Enter')
  await second.sees('a secret between us')
  // And everywhere at once.
  await second.opensSettings()
  await second.page.getByRole('button', { name: 'Devices' }).click()
  await second.dialog.getByRole('button', { name: 'Log out everywhere…' }).click()
  await second.dialog.getByRole('button', { name: 'Log out everywhere', exact: true }).click()
  await signedOut(first)
  await signedOut(second)
})

test('a device that was logged out while it was away is told when it comes back', async () => {
  const daemon = await Daemon.start()
  const [first, second] = [await registered(daemon, 'ann'), await again(daemon, 'ann')]
  await second.page.goto('about:blank')
  await first.opensSettings()
  await first.page.getByRole('button', { name: 'Change the password' }).click()
  await first.page.getByLabel('Password now').fill('wrong horse')
  await first.page.getByLabel('New password').fill('battery staple')
  await first.page.getByRole('button', { name: 'Change it' }).click()
  await first.dialog.getByRole('alert').waitFor()
  await first.page.getByLabel('Password now').fill(PASSWORD)
  await first.page.getByRole('button', { name: 'Change it' }).click()
  await first.page.getByText('The password is changed.').waitFor()
  await second.page.goto(daemon.url)
  await second.page.getByRole('alert').getByText('this device was logged out').waitFor()
  await second.fillIn('ann', 'battery staple')
  await second.composer.waitFor()
})

test('logging out makes the token void, and deleting the account frees its name', async () => {
  const daemon = await Daemon.start()
  const ann = await registered(daemon, 'ann')
  const identity = (await kept(ann))['klatch.identity'] as string
  expect(JSON.parse(identity)).toMatchObject({ name: 'ann', account: true })
  expect((await kept(ann)).address).not.toContain(JSON.parse(identity).token)
  await ann.opensSettings()
  await ann.page.getByRole('button', { name: 'Log out' }).click()
  await ann.dialog.locator('.sure').getByRole('button', { name: 'Log out' }).click()
  await signedOut(ann)
  const stolen = await arrived(daemon)
  await stolen.page.evaluate((text) => localStorage.setItem('klatch.identity', text), identity)
  await stolen.page.reload()
  await stolen.page.getByText('Name and password do not belong together').waitFor()

  await ann.chooses('Log in')
  await ann.fillIn('ann', PASSWORD)
  await ann.composer.waitFor()
  await ann.opensSettings()
  await ann.page.getByRole('button', { name: 'Delete the account' }).click()
  await ann.page.getByLabel('Password', { exact: true }).fill('wrong horse')
  await ann.page.getByRole('button', { name: 'Delete ann' }).click()
  await ann.dialog.getByRole('alert').waitFor()
  await ann.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await ann.page.getByRole('button', { name: 'Delete ann' }).click()
  await signedOut(ann)
  await ann.chooses('Guest')
  await ann.signIn('ann')
})

test('a registered name asks for its password, or offers another', async () => {
  const daemon = await Daemon.start()
  await registered(daemon, 'ann')
  const other = await arrived(daemon)
  await other.page.getByLabel('Your name').fill('Ann')
  await other.page.getByRole('button', { name: 'Start chatting' }).click()
  await other.page.getByText('This name belongs to an account').waitFor()
  await other.page.getByRole('button', { name: /^Use .* instead$/ }).waitFor()
  await expect.poll(() => other.page.evaluate(() => document.activeElement?.id)).toBe('password')
  await other.page.keyboard.type('wrong horse')
  await other.page.keyboard.press('Enter')
  await other.page.getByText('Name and password do not belong together').waitFor()
  await other.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await other.page.getByRole('button', { name: 'Show the password' }).click()
  expect(await other.page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text')
  await other.page.getByRole('button', { name: 'Log in', exact: true }).click()
  await other.composer.waitFor()
  expect(await other.page.locator('.myself bdi').textContent()).toBe('ann')
})

test('who guesses is told to wait', async () => {
  const daemon = await Daemon.start()
  await registered(daemon, 'ann')
  const eve = await arrived(daemon)
  await eve.chooses('Log in')
  const refused = eve.page.getByRole('alert')
  for (let i = 0; i < 8; i++) {
    await eve.fillIn('ann', `wrong horse ${i}`)
    await refused.waitFor()
    if ((await refused.textContent())?.includes('Too many')) break
    await eve.page.getByRole('button', { name: 'Log in', exact: true }).and(eve.page.locator(':enabled')).waitFor()
  }
  expect(await refused.textContent()).toContain('Too many wrong passwords')
  const button = eve.page.locator('.card form button[type=submit]')
  expect(await button.textContent()).toMatch(/^Again in \d+ s$/)
  expect(await button.isDisabled()).toBe(true)
})

test('a guest can make the name an account', async () => {
  const daemon = await Daemon.start()
  const ann = await here(Person.enter(all.browser, daemon.url, 'ann'))
  await ann.opensSettings()
  await ann.page.getByRole('button', { name: 'Log out, and register this name' }).click()
  await signedOut(ann)
  expect(await ann.page.getByLabel('Your name').inputValue()).toBe('ann')
  await ann.page.getByLabel('Password', { exact: true }).fill('short')
  await ann.page.getByRole('button', { name: 'Create the account' }).click()
  expect(await ann.page.locator('#password:invalid').count()).toBe(1)
  await ann.page.getByLabel('Password', { exact: true }).fill('aaaaaaaaaa')
  await ann.page.getByRole('button', { name: 'Create the account' }).click()
  await ann.page.getByRole('alert').waitFor()
  await ann.page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await ann.page.getByRole('button', { name: 'Create the account' }).click()
  await ann.composer.waitFor()
  await ann.opensSettings()
  await ann.page.getByRole('button', { name: 'Devices' }).waitFor()
})

test('the ways in are those that the server has, and an invitation opens the form', async () => {
  const daemon = await Daemon.start({ 'accounts.registration': 'closed', 'accounts.guests': 'off' })
  const stranger = await arrived(daemon)
  await stranger.page.getByRole('radio', { name: 'Guest' }).waitFor({ state: 'detached' })
  expect(await stranger.page.getByRole('radio').count()).toBe(1)
  const code = daemon.invitation
  expect(code).toMatch(/^\w{12,}$/)
  const ann = await arrived(daemon, `#invite=${code}`)
  expect(await ann.page.evaluate(() => location.href + JSON.stringify(history.state))).not.toContain(code)
  expect(await ann.page.getByLabel('Invitation code').inputValue()).toBe(code)
  await ann.fillIn('ann', PASSWORD)
  await ann.composer.waitFor()
  await ann.page.getByText('Administrator').waitFor()
  await ann.page.goto('about:blank')
  await ann.page.goto(`${daemon.url}#invite=${code}`)
  await ann.page.getByText('The invitation makes a new account').waitFor()
  const eve = await arrived(daemon, `#invite=${code}`)
  await eve.fillIn('eve', PASSWORD)
  await eve.page.getByText('This invitation is not known').waitFor()
})
