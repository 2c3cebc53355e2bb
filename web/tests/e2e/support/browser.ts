/** Chromium, and a person in it. */

import { execFileSync } from 'node:child_process'

import { expect } from 'vitest'
import { chromium, type Browser, type BrowserContext, type ConsoleMessage, type Page } from 'playwright-core'

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-precise-memory-info',
]

/** CI machines are slow, and run everything at once. */
export const PATIENCE = 60_000

export function startBrowser(flags: string[] = []): Promise<Browser> {
  const executablePath =
    process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...flags] })
}

export interface Look {
  theme?: 'light' | 'dark'
  width?: number
  height?: number
}

export class Person {
  /** Errors, and reports of the content security policy. */
  readonly complaints: string[] = []

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async arrive(browser: Browser, url: string, look: Look = {}): Promise<Person> {
    const { theme = 'light', width = 1280, height = 800 } = look
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      ignoreHTTPSErrors: true,
      hasTouch: width < 720,
      locale: 'en-GB',
      permissions: ['clipboard-read', 'clipboard-write'],
    })
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    const person = new Person(context, page)
    page.on('console', (message) => person.listen(message))
    page.on('pageerror', (error) => person.complaints.push(String(error)))
    // A script that ran where none should calls this.
    await page.exposeFunction('pwned', (what: string) => person.complaints.push(`ran: ${what}`))
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => {
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`)
      })
    })
    await page.goto(url)
    return person
  }

  /** Comes in with a name. */
  static async enter(browser: Browser, url: string, name: string, look: Look = {}): Promise<Person> {
    const person = await Person.arrive(browser, url, look)
    await person.signIn(name)
    return person
  }

  async signIn(name: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name)
    await this.page.getByRole('button', { name: 'Start chatting' }).click()
    await this.composer.waitFor()
  }

  get composer() {
    return this.page.locator('.composer textarea')
  }

  get log() {
    return this.page.getByRole('log')
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text)
    await this.composer.press('Enter')
  }

  /** Waits until a message is there, and acknowledged. */
  async sees(text: string | RegExp): Promise<void> {
    await this.page.locator('.message:not(.pending) .text', { hasText: text }).first().waitFor()
  }

  /** The bottom of the newest message is above the bottom of the log. */
  async newestIsInSight(): Promise<void> {
    const distance = (): Promise<number> =>
      this.page.evaluate(() => {
        const log = document.querySelector('[role=log]')!
        return log.scrollHeight - log.scrollTop - log.clientHeight
      })
    await expect.poll(distance, { timeout: PATIENCE }).toBeLessThan(3)
  }

  async goTo(place: string): Promise<void> {
    await this.page.getByRole('navigation').getByRole('button', { name: place }).click()
  }

  /** Waits until the browser has stored a text, to be read without a connection. */
  async isKept(text: string): Promise<void> {
    const stored = (): Promise<string> =>
      this.page.evaluate(
        () =>
          new Promise((resolve) => {
            const opening = indexedDB.open('klatch')
            opening.onsuccess = () => {
              const database = opening.result
              const all = database.transaction('rooms').objectStore('rooms').getAll()
              all.onsuccess = () => {
                database.close()
                resolve(JSON.stringify(all.result, (_, each) => (typeof each === 'bigint' ? `${each}` : each)))
              }
            }
          }),
      )
    await expect.poll(stored, { timeout: PATIENCE }).toContain(text)
  }

  async leave(): Promise<void> {
    await this.context.close()
  }

  private listen(message: ConsoleMessage): void {
    // A connection that cannot be made is told by the browser itself.
    if (message.type() === 'error' && !/WebSocket connection|ERR_CONNECTION|net::/.test(message.text()))
      this.complaints.push(message.text())
  }
}
