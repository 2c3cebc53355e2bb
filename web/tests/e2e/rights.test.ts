/** Rooms with rights: private ones, roles, putting out, bans, mutes, slow mode; as people meet them. */

import { expect, test } from 'vitest'

import { Person } from './support/browser'
import { company } from './support/company'
import { Daemon } from './support/daemon'

const all = company()

async function two(): Promise<[Person, Person]> {
  const daemon = await Daemon.start()
  const come = (name: string): Promise<Person> => all.here(Person.register(all.browser, daemon.url, name))
  return [await come('ann'), await come('bob')]
}

/** Opens what can be done about a member, and chooses one of it. */
async function does(person: Person, name: string, deed: 'Put out' | 'Ban' | 'Mute'): Promise<void> {
  await person.page.getByRole('button', { name: `What to do about ${name}` }).click()
  await person.page.getByRole('button', { name: `${deed}…` }).click()
}

test('a private room is there for those who are invited', async () => {
  const [ann, bob] = await two()
  await ann.creates('den', true)
  await bob.page.getByRole('button', { name: 'Browse or create rooms' }).click()
  await bob.dialog.getByText('lobby').waitFor()
  expect(await bob.dialog.getByText('den').count()).toBe(0)
  await bob.closesDialog()
  await ann.opensRoomSettings()
  await ann.page.getByLabel('Invite somebody').fill('nobody-here')
  await ann.page.getByRole('button', { name: 'Invite', exact: true }).click()
  await ann.dialog.getByRole('alert').waitFor()
  await ann.page.getByLabel('Invite somebody').fill('bob')
  await ann.page.getByRole('button', { name: 'Invite', exact: true }).click()
  await ann.dialog.getByText('may come in now').waitFor()
  await ann.closesDialog()
  await bob.page.getByText('ann invites you into #den').waitFor()
  await bob.page.getByRole('region', { name: 'Invitations' }).getByRole('button', { name: 'Join' }).click()
  await bob.page.getByRole('heading', { name: 'den', level: 1 }).waitFor()
  await bob.page.getByRole('region', { name: 'Invitations' }).waitFor({ state: 'detached' })
  await bob.say('here I am')
  await ann.sees('here I am')

  // Who is put out needs another invitation.
  await does(ann, 'bob', 'Put out')
  await ann.page.getByLabel('What they are told about it').fill('enough <b>for</b> today')
  await ann.page.getByRole('button', { name: 'Put out bob' }).click()
  await bob.page.getByText('ann put you out of this room: “enough <b>for</b> today”').waitFor()
  expect(await bob.composer.isDisabled()).toBe(true)
  expect(await bob.page.getByRole('button', { name: 'Join again' }).count()).toBe(0)
  await ann.page.locator('.line', { hasText: 'bob was put out of the room' }).waitFor()
  await bob.page.getByRole('button', { name: 'Close', exact: true }).click()
  await bob.page.getByRole('heading', { name: 'lobby', level: 1 }).waitFor()
})

test('moderators put out, ban and let in again', async () => {
  const [ann, bob] = await two()
  await ann.creates('den')
  await bob.joins('den')
  expect(await bob.page.getByRole('button', { name: 'Settings of the room' }).count()).toBe(0)
  await bob.page.getByRole('button', { name: 'What to do about ann' }).click()
  await bob.dialog.getByRole('button', { name: 'Block…' }).waitFor()
  expect(await bob.dialog.getByRole('button', { name: /^(?:Put out|Ban|Mute)/ }).count()).toBe(0)
  expect(await bob.dialog.getByRole('radio').count()).toBe(0)
  await bob.closesDialog()
  await does(ann, 'bob', 'Put out')
  await ann.page.getByRole('button', { name: 'Put out bob' }).click()
  await bob.page.getByText('ann put you out of this room.').waitFor()
  await bob.page.getByRole('button', { name: 'Join again' }).click()
  await bob.composer.and(bob.page.locator(':enabled')).waitFor()
  await bob.say('back')
  await ann.sees('back')

  await does(ann, 'bob', 'Ban')
  await ann.page.getByLabel('For how long').selectOption('1 day')
  await ann.page.getByRole('button', { name: 'Ban bob' }).click()
  await bob.page.getByText(/ann put you out of this room, until .+\./).waitFor()
  await ann.opensRoomSettings()
  await ann.dialog.getByText(/^banned until/).waitFor()
  await bob.page.reload()
  await bob.page.getByRole('heading', { name: 'lobby', level: 1 }).waitFor()
  await bob.page.keyboard.press('Control+k')
  await bob.page.getByRole('combobox', { name: 'Room or person' }).fill('den')
  await bob.page.keyboard.press('Enter')
  await bob.page.getByRole('status').getByText(/banned/).waitFor()
  await ann.page.getByRole('button', { name: 'Lift the ban of bob' }).click()
  await ann.dialog.getByText(/^banned until/).waitFor({ state: 'detached' })
  await bob.joins('den')
})

test('a role gives its rights at once, and takes them', async () => {
  const [ann, bob] = await two()
  await ann.creates('den')
  await bob.joins('den')
  await ann.page.getByRole('button', { name: 'What to do about bob' }).click()
  await ann.page.getByRole('radio', { name: 'Moderator' }).check({ force: true })
  await bob.page.getByRole('button', { name: 'Settings of the room' }).waitFor()
  await bob.page.locator('.line', { hasText: 'ann made bob a moderator' }).waitFor()
  await ann.page.getByRole('radio', { name: 'Member', exact: true }).check({ force: true })
  await bob.page.getByRole('button', { name: 'Settings of the room' }).waitFor({ state: 'detached' })
})

test('who may not write is told why, and when again', async () => {
  const [ann, bob] = await two()
  await ann.creates('den')
  await bob.joins('den')
  await ann.opensRoomSettings()
  await ann.page.getByRole('switch', { name: /Announcements/ }).check()
  await bob.page.getByText('Only moderators and owners write here.').waitFor()
  expect(await bob.composer.isDisabled()).toBe(true)
  await bob.page.locator('.line', { hasText: 'ann let only moderators write' }).waitFor()
  await ann.page.getByRole('switch', { name: /Announcements/ }).uncheck()
  await bob.composer.and(bob.page.locator(':enabled')).waitFor()

  await ann.page.getByRole('combobox').selectOption('15 s')
  await bob.page.getByText('Slow mode: one message every 15 s.').waitFor()
  await bob.say('one')
  await bob.page.getByText(/Slow mode: you can write again in \d+ s/).waitFor()
  await bob.composer.fill('two')
  expect(await bob.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
  await ann.page.getByRole('combobox').selectOption('Off')
  await bob.page.getByRole('button', { name: 'Send' }).and(bob.page.locator(':enabled')).waitFor()
  await bob.composer.press('Enter')
  await ann.sees('two')
  await ann.closesDialog()

  await does(ann, 'bob', 'Mute')
  await ann.page.getByLabel('For how long').selectOption('10 minutes')
  await ann.page.getByRole('button', { name: 'Mute bob' }).click()
  await ann.page.getByText('bob is muted.').waitFor()
  await bob.say('let me speak')
  const refused = bob.page.locator('.pending.refused', { hasText: 'let me speak' })
  // Once now; and after a reload, which loses neither the text nor the reason.
  for (const _ of [1, 2]) {
    const told = bob.page.getByRole('status').getByText(/^You are muted in this room, until .+\.$/)
    const [, hour, minute] = /(\d\d):(\d\d)/.exec((await told.textContent())!)!
    const now = new Date()
    const left = 60 * Number(hour) + Number(minute) - 60 * now.getHours() - now.getMinutes()
    expect([7, 8, 9, 10]).toContain((left + 1440) % 1440)
    await refused.getByText('Not sent').waitFor()
    await refused.getByText(/^You are muted in this room\. Try again in 10 min\./).waitFor()
    expect(await bob.composer.isDisabled()).toBe(false)
    await bob.isKept('You are muted'.toLowerCase())
    await bob.page.reload()
    await bob.page.getByText('Online', { exact: true }).waitFor()
  }
  expect(await bob.page.locator('.message', { hasText: 'let me speak' }).count()).toBe(1)
  expect(await ann.page.locator('.message', { hasText: 'let me speak' }).count()).toBe(0)
  await ann.opensRoomSettings()
  await ann.page.getByRole('button', { name: 'Let bob write again' }).click()
  await ann.dialog.getByText(/^muted until/).waitFor({ state: 'detached' })
  await bob.page.getByRole('button', { name: 'Send again' }).click()
  await ann.sees('let me speak')
  await bob.page.getByText(/You are muted/).waitFor({ state: 'detached' })
})

test('a text that slow mode refuses is sent when it may be, and holds up no other room', async () => {
  const [ann, bob] = await two()
  await ann.creates('den')
  await bob.joins('den')
  await ann.opensRoomSettings()
  await ann.page.getByRole('combobox').selectOption('5 s')
  await bob.page.getByText('Slow mode: one message every 5 s.').waitFor()
  await bob.say('one')
  await bob.sees('one')
  // A page that was just loaded does not know that it must wait.
  await bob.page.reload()
  await bob.goTo('den')
  await bob.page.getByText('Online', { exact: true }).waitFor()
  await bob.say('two')
  await bob.page.getByText(/you can write again in/).waitFor()
  await bob.goTo('lobby')
  await bob.say('meanwhile')
  await bob.sees('meanwhile')
  await bob.goTo('den')
  await ann.sees('two')
})
