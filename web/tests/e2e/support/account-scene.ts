/** The views about accounts and rights: a walk through them, as `scene.ts` does for the others. */

import { closesPanel, type Scene } from './scene'
import { PASSWORD, type Person } from './browser'

const narrow = (person: Person): boolean => (person.page.viewportSize()?.width ?? 1280) < 720

async function inSidebar(person: Person, button: string): Promise<void> {
  if (narrow(person)) await person.page.getByRole('button', { name: 'Show the rooms' }).click()
  await person.page.getByRole('button', { name: button }).first().click()
}

async function closes(person: Person): Promise<void> {
  await person.page.keyboard.press('Escape')
  await person.dialog.waitFor({ state: 'detached' })
  await closesPanel(person)
}

/** Somebody who has just arrived makes an account, and looks around. */
export async function accountViews(
  { marta }: Scene,
  person: Person,
  name: string,
  look: (view: string) => Promise<void>,
): Promise<void> {
  const { page } = person
  await page.getByLabel('Your name').waitFor()
  await person.chooses('Log in')
  await person.fillIn(name, 'wrong horse')
  await page.getByRole('alert').waitFor()
  await look('log-in-refused')
  await person.chooses('Register')
  await look('register')
  await person.fillIn(name, PASSWORD)
  await person.composer.waitFor()

  await inSidebar(person, 'Settings')
  await page.getByRole('button', { name: 'Devices' }).waitFor()
  await look('settings-account')
  await page.getByRole('button', { name: 'Devices' }).click()
  await page.getByText('this one').waitFor()
  await look('devices')
  await page.getByRole('button', { name: 'Back' }).click()
  await page.getByRole('button', { name: 'Change the password' }).click()
  await look('password')
  await page.getByRole('button', { name: 'Back' }).click()
  await page.getByRole('button', { name: 'Delete the account' }).click()
  await look('delete-account')
  await closes(person)
  await ownRoom(marta, person, name, look)
  await otherRoom(marta, person, name, look)
  await blocking(marta, person, name, look)
}

/** A room of one's own: its settings, and what can be done about a member. */
async function ownRoom(marta: Person, person: Person, name: string, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = person
  const room = `own-${name}`
  await inSidebar(person, 'Browse or create rooms')
  await page.getByLabel('Find a room, or name a new one').fill(room)
  await look('create-room')
  await page.getByRole('button', { name: `Create #${room}` }).click()
  await page.getByRole('heading', { name: room, level: 1 }).waitFor()
  await person.dialog.waitFor({ state: 'detached' })
  await closesPanel(person)
  await marta.page.keyboard.press('Control+k')
  await marta.page.getByRole('combobox', { name: 'Room or person' }).fill(room)
  await marta.page.keyboard.press('Enter')
  await marta.page.getByRole('heading', { name: room, level: 1 }).waitFor()

  if (narrow(person)) await page.getByRole('button', { name: /members?: show/ }).click()
  const menu = page.getByRole('button', { name: 'What to do about marta' })
  await menu.waitFor()
  await look('members-owner')
  await menu.click()
  await look('member')
  await page.getByRole('button', { name: 'Ban…' }).click()
  await look('ban')
  await page.getByRole('button', { name: 'Back' }).click()
  await page.getByRole('button', { name: 'Mute…' }).click()
  await page.getByRole('button', { name: 'Mute marta' }).click()
  await person.dialog.waitFor({ state: 'detached' })
  await closesPanel(person, 8)
  await page.getByRole('button', { name: 'Settings of the room' }).click()
  await page.getByRole('switch', { name: /Private/ }).check()
  await page.getByLabel('Invite somebody').waitFor()
  await page.getByText(/^muted until/).waitFor()
  await look('room-settings')
  await fate(person, room, look)
  await closes(person)
  await marta.goTo('lobby')
}

/** What an owner may do to a room as a whole, from its settings. */
async function fate(person: Person, room: string, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = person
  await page.getByRole('button', { name: 'Change…' }).click()
  await page.getByRole('spinbutton', { name: 'Days' }).fill('30')
  await page.getByRole('spinbutton', { name: 'MB' }).fill('10')
  await look('keep')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await person.dialog.getByText('Messages for 30 days, 10 MB at most.').waitFor()
  await page.getByRole('button', { name: 'Delete the room…' }).click()
  await page.getByLabel(`Type ${room} to delete it`).fill(room)
  await look('delete-room')
  await page.getByRole('button', { name: 'Back' }).click()
  await page.getByRole('button', { name: 'Give it another name…' }).click()
  await page.getByLabel('Its new name').fill(`our-${room}`)
  await look('rename-room')
  await page.getByRole('button', { name: `Call it #our-${room}` }).click()
  await page.getByRole('heading', { name: `our-${room}`, level: 1, includeHidden: true }).waitFor()
}

/** Somebody who writes to one, and is to do so no more. */
async function blocking(marta: Person, person: Person, name: string, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = person
  await marta.page.getByRole('button', { name: 'Write to somebody' }).first().click()
  await marta.page.getByLabel('Their name').fill(name)
  await marta.page.getByRole('button', { name: 'Write', exact: true }).click()
  await marta.page.getByRole('heading', { name, level: 1 }).waitFor()
  await marta.say('Buy my tickets!')
  if (narrow(person)) await page.getByRole('button', { name: 'Show the rooms' }).click()
  await person.goTo('marta')
  await person.sees('Buy my tickets!')
  await page.getByRole('button', { name: 'More about marta' }).first().click()
  await page.getByRole('button', { name: 'Block…' }).click()
  await look('block')
  await page.getByRole('button', { name: 'Block marta' }).click()
  await page.getByText('You block marta').waitFor()
  await look('blocked')
  await inSidebar(person, 'Settings')
  await page.getByRole('button', { name: 'Blocked people' }).click()
  await page.getByRole('button', { name: 'Unblock marta' }).waitFor()
  await look('blocks')
  await closes(person)
  await marta.goTo('lobby')
}

/** A room of somebody else: invited, kept from writing, put out. */
async function otherRoom(marta: Person, person: Person, name: string, look: (view: string) => Promise<void>): Promise<void> {
  const { page } = person
  const room = `den-${name}`
  await marta.creates(room, true)
  await marta.page.getByRole('button', { name: 'Settings of the room' }).click()
  await marta.page.getByRole('switch', { name: /Announcements/ }).check()
  await marta.page.getByLabel('Invite somebody').fill(name)
  await marta.page.getByRole('button', { name: 'Invite', exact: true }).click()
  await page.getByText(`marta invites you into #${room}`).waitFor()
  await look('invited')
  await page.getByRole('region', { name: 'Invitations' }).getByRole('button', { name: 'Join' }).click()
  await page.getByText('Only moderators and owners write here.').waitFor()
  await look('announcements')
  await closes(marta)
  await marta.page.getByRole('button', { name: `What to do about ${name}` }).click()
  await marta.page.getByRole('button', { name: 'Put out…' }).click()
  await marta.page.getByLabel('What they are told about it').fill('The rehearsal is over, thank you!')
  await marta.page.getByRole('button', { name: `Put out ${name}` }).click()
  await page.getByText('marta put you out of this room').waitFor()
  await look('put-out')
  await marta.goTo('lobby')
}
