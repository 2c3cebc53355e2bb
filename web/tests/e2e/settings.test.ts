/** What one has set in this browser stays set; and the page can be installed. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Page } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'

import { Person, startOwnBrowser } from './support/browser'
import { company } from './support/company'
import { Daemon } from './support/daemon'

const all = company()

const GROUND = { light: 'rgb(246, 244, 239)', dark: 'rgb(20, 22, 25)' }
const ground = (page: Page): Promise<string> =>
  page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)

/** All that the dialog has to say: the theme that is chosen, and each switch. */
async function settingsOf(page: Page): Promise<unknown> {
  await page.getByRole('button', { name: 'Settings', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  const theme = await dialog.locator('label', { has: page.getByRole('radio', { checked: true }) }).textContent()
  const switches = await dialog.getByRole('switch').evaluateAll((list) => list.map((each) => (each as HTMLInputElement).checked))
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  return { theme, switches }
}

test('theme, notifications, keys and what is shown stay set: after a reload, in a new tab, after a restart', async () => {
  const daemon = await Daemon.start()
  const ann = await all.here(Person.register(all.browser, daemon.url, 'ann', { notifications: 'allowed' }))
  const { page } = ann
  expect(await settingsOf(page)).toEqual({ theme: 'System', switches: [false, true, true] })
  expect(await ground(page)).toBe(GROUND.light)
  await ann.opensSettings()
  await page.getByRole('radio', { name: 'Dark' }).check({ force: true })
  await page.getByRole('switch', { name: /Notifications/ }).check()
  await page.getByRole('switch', { name: /Enter sends/ }).uncheck()
  await page.getByRole('switch', { name: /Who joins and leaves/ }).uncheck()
  await ann.closesDialog()
  await page.getByRole('complementary').getByRole('button', { name: /^(?:Hide|Close)/ }).click()
  const set = { theme: 'Dark', switches: [true, false, false] }

  await page.reload()
  await ann.composer.waitFor()
  expect(await ground(page)).toBe(GROUND.dark)
  expect(await settingsOf(page)).toEqual(set)
  expect(await page.getByRole('complementary').count()).toBe(0)
  // Not only the dialog knows of them.
  await ann.composer.fill('one line')
  await ann.composer.press('Enter')
  expect(await ann.composer.inputValue()).toBe('one line\n')
  await ann.composer.press('Control+Enter')
  await ann.sees('one line')

  await daemon.kill()
  await page.getByText('Offline').waitFor()
  await daemon.run()
  await page.getByText('Online', { exact: true }).waitFor()
  const second = await ann.context.newPage()
  await second.goto(daemon.url)
  await second.locator('.composer textarea').waitFor()
  expect(await ground(second)).toBe(GROUND.dark)
  expect(await settingsOf(second)).toEqual(set)
  // What is set in one tab is so in the others, and none sets it back.
  await second.getByRole('button', { name: 'Settings', exact: true }).click()
  await second.getByRole('radio', { name: 'Light' }).check({ force: true })
  await expect.poll(() => ground(page)).toBe(GROUND.light)
  await page.getByRole('button', { name: 'Use it here' }).click()
  await ann.composer.waitFor()
  expect(await settingsOf(page)).toEqual({ ...set, theme: 'Light' })
  await second.reload()
  expect(await ground(second)).toBe(GROUND.light)
})

test.each(['http', 'https'])('the page can be installed from %s: Chromium has nothing against it', async (scheme) => {
  const daemon = await Daemon.start()
  const folder = mkdtempSync(join(tmpdir(), 'klatch-chromium-'))
  // Its worker, too, must come from a certificate that nobody vouches for.
  const context = await startOwnBrowser(folder, ['--ignore-certificate-errors'])
  onTestFinished(async () => {
    await context.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const ann = new Person(context, await context.newPage())
  await ann.page.goto(scheme === 'http' ? daemon.url : daemon.secureUrl)
  await ann.signIn('ann')
  const cdp = await ann.context.newCDPSession(ann.page)
  const manifest = await cdp.send('Page.getAppManifest')
  expect(manifest.errors).toEqual([])
  const said = JSON.parse(manifest.data!) as Record<string, unknown> & { icons: { src: string; sizes: string; type: string }[] }
  expect(said).toMatchObject({ name: 'Klatch', short_name: 'Klatch', start_url: '/', scope: '/', display: 'standalone' })
  expect(await cdp.send('Page.getInstallabilityErrors')).toEqual({ installabilityErrors: [] })

  // Each icon is what the manifest says of it.
  for (const { src, sizes, type } of said.icons) {
    const icon = await ann.page.evaluate(async (path) => {
      const answer = await fetch(path)
      const image = new Image()
      image.src = path
      await image.decode()
      return { status: answer.status, type: answer.headers.get('content-type'), size: `${image.naturalWidth}x${image.naturalHeight}` }
    }, src)
    expect(icon).toEqual({ status: 200, type, size: sizes === 'any' ? icon.size : sizes })
  }
  expect(said.icons.map(({ sizes }) => sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']))

  // The worker is there, and what is loaded from now on goes through it.
  const controlled = (): Promise<string | undefined> =>
    ann.page.evaluate(() => navigator.serviceWorker.controller?.scriptURL)
  await expect.poll(controlled).toBe(`${new URL(ann.page.url()).origin}/sw.js`)
  await ann.page.reload()
  await ann.composer.waitFor()
  expect(await controlled()).toMatch(/\/sw\.js$/)
  expect(ann.complaints).toEqual([])
})
