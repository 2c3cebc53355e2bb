/** The operator's page: a walk through its views. */

import type { Browser } from 'playwright-core'

import { PASSWORD, Person, type Look } from './browser'
import type { Daemon } from './daemon'
import { Robot } from './robot'

/** The first administrator, who registers with the code that the server printed. */
export async function appoint(browser: Browser, daemon: Daemon): Promise<void> {
  const olga = await Person.arrive(browser, `${daemon.url}#invite=${daemon.invitation!}`)
  await olga.page.getByLabel('Invitation code').waitFor()
  await olga.fillIn('olga', PASSWORD)
  await olga.composer.waitFor()
  await olga.leave()
  // Limits are met, and figures move.
  const robot = await Robot.connect(daemon.port, 'noisy')
  for (let i = 0; i < 5; i++) await robot.ask('say', { room: 'lobby', text: 'x'.repeat(17_000) }).catch(() => {})
  for (let i = 0; i < 3; i++) await robot.ask('join', { room: 'nowhere' }).catch(() => {})
  robot.end()
}

export async function adminViews(
  browser: Browser,
  daemon: Daemon,
  how: Look,
  look: (person: Person, view: string) => Promise<void>,
): Promise<void> {
  const stranger = await Person.enter(browser, daemon.url, `visitor-${how.theme}-${how.width}`, how)
  await stranger.page.goto(`${daemon.url}admin`)
  await stranger.page.getByText('This page is for administrators').waitFor()
  await look(stranger, 'admin-denied')
  await stranger.leave()

  const olga = await Person.logIn(browser, daemon.url, 'olga', how)
  const { page } = olga
  await page.goto(`${daemon.url}admin`)
  await page.getByRole('heading', { name: 'Live sessions' }).waitFor()
  // A line begins with its third point.
  await page.waitForFunction(() => document.querySelector('.plot polyline[points*=" "]')?.getAttribute('points')!.split(' ').length! > 3)
  await look(olga, 'admin')
  await page.getByRole('heading', { name: 'Commands' }).scrollIntoViewIfNeeded()
  await look(olga, 'admin-commands')
  await page.getByRole('button', { name: /^invite/ }).click()
  await look(olga, 'admin-invite')
  await olga.dialog.getByRole('button', { name: 'Invite', exact: true }).click()
  await look(olga, 'admin-sure')
  await page.keyboard.press('Escape')
  await page.getByText('All about the server').click()
  await page.getByText('All about the server').scrollIntoViewIfNeeded()
  await look(olga, 'admin-details')
  await olga.leave()
}
