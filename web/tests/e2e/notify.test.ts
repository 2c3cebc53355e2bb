/** People who look elsewhere are told: by the title, and by notifications if they want them. */

import { expect, test } from 'vitest'

import { PATIENCE, Person, type Look } from './support/browser'
import { company } from './support/company'
import { Daemon } from './support/daemon'
import { Robot } from './support/robot'

const all = company()

interface Watched {
  asked: number
  shown: Notification[]
}
declare const watched: Watched

const asked = ({ page }: Person): Promise<number> => page.evaluate(() => watched.asked)
/** Title and text of each notification, the oldest first. */
const shown = ({ page }: Person): Promise<string[][]> =>
  page.evaluate(() => watched.shown.map(({ title, body }) => [title, body]))
const press = ({ page }: Person): Promise<boolean> =>
  page.evaluate(() => watched.shown.at(-1)!.dispatchEvent(new Event('click')))
const theSwitch = (person: Person) => person.page.getByRole('switch', { name: /Notifications/ })

async function two(look: Look): Promise<{ ann: Person; robot: Robot; daemon: Daemon }> {
  const daemon = await Daemon.start()
  const ann = await all.here(Person.enter(all.browser, daemon.url, 'ann', look))
  return { ann, daemon, robot: await Robot.connect(daemon.port, 'robot') }
}

async function wantsThem(person: Person): Promise<void> {
  await person.opensSettings()
  await theSwitch(person).check()
  await person.closesDialog()
}

test('nobody is asked before they want it; then mentions and direct messages come, while one looks elsewhere', async () => {
  const { ann, robot } = await two({ notifications: 'asks' })
  await ann.looksAway('window')
  await robot.ask('say', { room: 'lobby', text: 'too early for @ann' })
  await expect.poll(() => ann.page.title()).toBe('(1) lobby · Klatch')
  await ann.looksAway('back')
  await expect.poll(() => ann.page.title()).toBe('lobby · Klatch')
  await ann.opensSettings()
  expect([await asked(ann), await shown(ann)]).toEqual([0, []])
  expect(await theSwitch(ann).isChecked()).toBe(false)
  await theSwitch(ann).check()
  await expect.poll(() => theSwitch(ann).isChecked()).toBe(true)
  expect(await asked(ann)).toBe(1)
  await ann.closesDialog()

  // What one sees needs no telling, nor does what is for nobody in particular.
  await robot.ask('say', { room: 'lobby', text: 'you are here, @ann' })
  await ann.sees('you are here')
  await ann.looksAway('window')
  await robot.ask('say', { room: 'lobby', text: 'for whoever reads it' })
  await robot.ask('say', { room: 'lobby', text: 'come\n\nto the   window, @ann' })
  await expect.poll(() => shown(ann), { timeout: PATIENCE }).toEqual([['robot in #lobby', 'come to the window, @ann']])
  expect(await ann.page.title()).toBe('(1) lobby · Klatch')

  await ann.looksAway('tab')
  const { room } = await robot.ask('direct', { name: 'ann' })
  const long = '👩‍🚀 '.repeat(300)
  await robot.ask('say', { room, text: `a secret ${long}` })
  await expect.poll(() => shown(ann).then((list) => list.length), { timeout: PATIENCE }).toBe(2)
  const [title, body] = (await shown(ann))[1]!
  expect(title).toBe('robot')
  // No more than others may see over a shoulder, and cut between two signs.
  expect(body).toMatch(/^a secret 👩‍🚀 .*…$/u)
  expect([...body!].length).toBeLessThanOrEqual(200)
  expect(body!.isWellFormed()).toBe(true)
  await expect.poll(() => ann.page.title()).toBe('(2) lobby · Klatch')

  // A press on it leads to the room, with all that was said there before.
  await press(ann)
  await ann.looksAway('back')
  await ann.page.getByRole('heading', { name: 'robot', level: 1 }).waitFor()
  await ann.sees('a secret')
  await expect.poll(() => ann.page.title()).toBe('(1) robot · Klatch')
  robot.end()
})

test('where only a service worker may notify, as on phones, it does, and a press leads to the room', async () => {
  const { ann, robot } = await two({ notifications: 'allowed', width: 360 })
  await ann.page.evaluate(() => navigator.serviceWorker.ready)
  await ann.page.evaluate(() => {
    Notification = class {
      static permission = 'granted'
      constructor() {
        throw new TypeError("Failed to construct 'Notification': Illegal constructor.")
      }
    } as unknown as typeof Notification
  })
  await ann.page.getByRole('button', { name: 'Show the rooms' }).click()
  await wantsThem(ann)
  await ann.page.getByRole('button', { name: 'Close the panel' }).click({ position: { x: 350, y: 400 } })
  await robot.ask('create', { room: 'attic' })
  await ann.joins('attic')
  await ann.joins('lobby')
  await ann.looksAway('tab')
  await robot.ask('say', { room: 'attic', text: 'up here, @ann' })
  const kept = (): Promise<string[][]> =>
    ann.page.evaluate(async () => {
      const list = await (await navigator.serviceWorker.ready).getNotifications()
      return list.map(({ title, body }) => [title, body])
    })
  await expect.poll(kept, { timeout: PATIENCE }).toEqual([['robot in #attic', 'up here, @ann']])
  const worker = ann.context.serviceWorkers()[0]!
  await worker.evaluate(async () => {
    const scope = globalThis as unknown as ServiceWorkerGlobalScope
    const [notification] = await scope.registration.getNotifications()
    scope.dispatchEvent(new NotificationEvent('notificationclick', { notification: notification! }))
  })
  await ann.isIn('attic')
  await ann.sees('up here')
  expect(await kept()).toEqual([])
  robot.end()
})

test('who may not be notified is told so, calmly, and is not', async () => {
  const { ann, robot } = await two({ notifications: 'denied' })
  await ann.opensSettings()
  await theSwitch(ann).click()
  await ann.dialog.getByText('The browser does not allow them for this page').waitFor()
  await expect.poll(() => theSwitch(ann).isChecked()).toBe(false)
  await ann.closesDialog()
  await ann.looksAway('tab')
  await robot.ask('say', { room: 'lobby', text: 'are you there, @ann?' })
  await expect.poll(() => ann.page.title()).toBe('(1) lobby · Klatch')
  expect(await shown(ann)).toEqual([])

  // Who allowed it once and takes that back in the browser finds the switch off, and why.
  await ann.looksAway('back')
  await ann.page.evaluate(() => localStorage.setItem('klatch.prefs', '{"notify":true}'))
  await ann.page.reload()
  await ann.opensSettings()
  expect(await theSwitch(ann).isChecked()).toBe(false)
  robot.end()
})
