/** The browser of a file of tests, and who is in it: all of them leave after each test, none with a complaint. */

import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'

import { Person, startBrowser } from './browser'

export interface Company {
  readonly browser: Browser
  /** Takes somebody in, until the test ends. */
  here(coming: Promise<Person>): Promise<Person>
}

/** To be asked for where a file of tests begins. */
export function company(flags: string[] = []): Company {
  let browser: Browser | undefined
  let people: Person[] = []
  beforeAll(async () => {
    browser = await startBrowser(flags)
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    const left = people
    people = []
    for (const person of left) await person.leave()
    for (const person of left) expect(person.complaints).toEqual([])
  })
  return {
    get browser() {
      return browser!
    },
    async here(coming) {
      const person = await coming
      people.push(person)
      return person
    },
  }
}
