/** Pictures of every view, at a desk and on a phone, light and dark, into `screenshots/`. */

import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { test } from 'vitest'

import { Person, startBrowser, type Look } from './e2e/support/browser'
import { Daemon } from './e2e/support/daemon'
import { populate, views } from './e2e/support/scene'

const folder = fileURLToPath(new URL('../screenshots', import.meta.url))

test('pictures', async () => {
  mkdirSync(folder, { recursive: true })
  const daemon = await Daemon.start()
  const browser = await startBrowser()
  try {
    const scene = await populate(browser, daemon)
    for (const [device, width, height] of [['desk', 1280, 800], ['phone', 360, 740]] as const) {
      for (const theme of ['light', 'dark'] as const) {
        const look: Look = { theme, width, height }
        const person = await Person.arrive(browser, daemon.url, look)
        await views(person, `ida-${device[0]}${theme[0]}`, async (name) => {
          await person.page.screenshot({ path: `${folder}/${name}-${device}-${theme}.png` })
        }, () => scene.again())
        await person.leave()
      }
    }
    await scene.end()
  } finally {
    await browser.close()
    await daemon.stop()
  }
})
