/** The page is clean for those who do not see it, or see it otherwise: every view, at a desk and on a phone,
 * in both themes.
 */

import axe from 'axe-core'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { adminViews, appoint } from './support/admin-scene'
import { accountViews } from './support/account-scene'
import { Person, startBrowser } from './support/browser'
import { Daemon } from './support/daemon'
import { populate, views } from './support/scene'

let browser: Browser
beforeAll(async () => {
  browser = await startBrowser()
})
afterAll(() => browser?.close())

const THEMES = { light: 'rgb(246, 244, 239)', dark: 'rgb(20, 22, 25)' }
type Theme = keyof typeof THEMES

/** Shows the page in a theme, and waits until what moves has come to rest, but for what moves for ever. */
async function shown({ page }: Person, theme: Theme): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
  const ground = await page.evaluate(async () => {
    const moving = document.getAnimations().filter((each) => each.effect?.getTiming().iterations !== Infinity)
    await Promise.all(moving.map((each) => each.finished.catch(() => {})))
    // What was drawn anew meanwhile has the colours of the theme only with the next frame.
    for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame)
    return getComputedStyle(document.documentElement).backgroundColor
  })
  expect(ground).toBe(THEMES[theme])
}

/** Of the rules that axe asks by itself, those that the theme can change. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** What axe complains about, in words: all of its rules, or those about colours. */
async function complaints({ page }: Person, onlyColours: boolean): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const { violations, passes } = await page.evaluate(
    (more) => (window as unknown as { axe: typeof axe }).axe.run(document, { preload: false, resultTypes: ['violations'], ...more }),
    onlyColours ? { runOnly: COLOURS } : {},
  )
  // A judge who looked at nothing would not complain either.
  expect(passes.length).toBeGreaterThan(onlyColours ? 0 : 12)
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} (${node.failureSummary})`).join('\n  ')}`)
}

test.each([1280, 360])('axe finds nothing to complain about, in any view, in both themes, at %i px', async (width) => {
  const daemon = await Daemon.start()
  const scene = await populate(browser, daemon)
  await appoint(browser, daemon)
  const found: string[] = []
  let looks = 0
  // Each view in both themes, for the walk there takes longer than the judgement. One and the same document
  // differs by its colours only, so all the other rules are asked once.
  const judge = async (who: Person, view: string): Promise<void> => {
    looks += 1
    const first: Theme = looks % 2 ? 'light' : 'dark'
    for (const theme of [first, first === 'light' ? 'dark' : 'light'] as const) {
      await shown(who, theme)
      for (const complaint of await complaints(who, theme !== first)) found.push(`${view} ${theme}: ${complaint}`)
    }
  }
  const look = { width, height: 760 }
  const person = await Person.arrive(browser, daemon.url, look)
  await views(scene, person, `eve-${width}`, (view) => judge(person, view))
  const other = await Person.arrive(browser, daemon.url, look)
  await accountViews(scene, other, `ada-${width}`, (view) => judge(other, view))
  await adminViews(browser, daemon, look, judge)
  expect(looks).toBeGreaterThanOrEqual(46)
  for (const each of [person, other, scene.marta, scene.jonas]) {
    expect(each.complaints).toEqual([])
    await each.leave()
  }
  expect(found).toEqual([])
})
