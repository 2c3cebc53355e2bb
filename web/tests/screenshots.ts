/** Pictures of every view, at a desk and on a phone, light and dark, into `screenshots/`. */

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { test } from 'vitest'

import { adminViews, appoint } from './e2e/support/admin-scene'
import { accountViews } from './e2e/support/account-scene'
import { Person, startBrowser } from './e2e/support/browser'
import { Daemon } from './e2e/support/daemon'
import { populate, views } from './e2e/support/scene'

const folder = fileURLToPath(new URL('../screenshots', import.meta.url))

test('pictures', async () => {
  mkdirSync(folder, { recursive: true })
  const daemon = await Daemon.start()
  const browser = await startBrowser()
  try {
    const scene = await populate(browser, daemon)
    await appoint(browser, daemon)
    const people: [Person, string][] = []
    for (const [device, width, height] of [['desk', 1280, 800], ['phone', 360, 740]] as const) {
      for (const theme of ['light', 'dark'] as const) {
        const person = await Person.arrive(browser, daemon.url, { theme, width, height, notifications: 'allowed' })
        const picture = async (view: string): Promise<void> => {
          await person.page.waitForTimeout(250) // for what moves to come to rest
          await person.page.screenshot({ path: `${folder}/${view}-${device}-${theme}.png` })
        }
        await views(scene, person, `ida-${device[0]}${theme[0]}`, picture)
        people.push([person, `${device}-${theme}`])
        const other = await Person.arrive(browser, daemon.url, { theme, width, height, notifications: 'allowed' })
        await accountViews(scene, other, `noa-${device[0]}${theme[0]}`, async (view) => {
          await other.page.waitForTimeout(250)
          await other.page.screenshot({ path: `${folder}/${view}-${device}-${theme}.png` })
        })
        await other.leave()
        await adminViews(browser, daemon, { theme, width, height }, async (who, view) => {
          await who.page.waitForTimeout(250)
          await who.page.screenshot({ path: `${folder}/${view}-${device}-${theme}.png` })
        })
      }
    }
    await daemon.kill()
    for (const [person, look] of people) {
      await person.say('This is kept until the connection is back.')
      await person.page.getByRole('button', { name: 'Try now' }).waitFor()
      await person.page.screenshot({ path: `${folder}/offline-${look}.png` })
    }
  } finally {
    await browser.close()
    await daemon.stop()
  }
})
