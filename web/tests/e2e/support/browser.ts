/** Chromium, and a person in it. */

import { execFileSync } from 'node:child_process'

import { expect, TestRunner } from 'vitest'
import { chromium, type Browser, type BrowserContext, type ConsoleMessage, type Page } from 'playwright-core'

const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-precise-memory-info',
]

/** CI machines are slow, and run everything at once. */
export const PATIENCE = Number(process.env.KLATCH_PATIENCE_MS ?? 60_000)

/** Everybody's, here. */
export const PASSWORD = 'correct horse'

const executable = (): string =>
  process.env.CHROMIUM ?? execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim()

export function startBrowser(flags: string[] = []): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), headless: true, args: [...FLAGS, ...flags] })
}

/** A browser that keeps its things in a folder, as people's do. The others here are private windows. */
export function startOwnBrowser(folder: string, flags: string[] = []): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { executablePath: executable(), headless: true, args: [...FLAGS, ...flags] })
}

export interface Look {
  theme?: 'light' | 'dark'
  width?: number
  height?: number
  /** Whether the browser lets the page notify: 'asks' until it was asked, and then allows it. */
  notifications?: 'allowed' | 'asks' | 'denied'
}

/** Runs in the page: keeps what it shows as notifications, which it shows all the same. */
function watchNotifications(asks: boolean): void {
  const watched = { asked: 0, shown: [] as Notification[] }
  const Real = Notification
  class Watched extends Real {
    constructor(title: string, options?: NotificationOptions) {
      super(title, options)
      watched.shown.push(this)
    }
    static override get permission(): NotificationPermission {
      return asks && watched.asked === 0 ? 'default' : Real.permission
    }
    static override requestPermission(): Promise<NotificationPermission> {
      watched.asked += 1
      return super.requestPermission()
    }
  }
  Object.assign(globalThis, { Notification: Watched, watched })
}

export class Person {
  /** Errors, and reports of the content security policy. */
  readonly complaints: string[] = []

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.setDefaultTimeout(PATIENCE)
    page.on('console', (message) => this.listen(message))
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  static async arrive(browser: Browser, url: string, look: Look = {}): Promise<Person> {
    const { theme = 'light', width = 1280, height = 800, notifications = 'denied' } = look
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: theme,
      ignoreHTTPSErrors: true,
      hasTouch: width < 720,
      locale: 'en-GB',
      permissions: ['clipboard-read', 'clipboard-write', ...(notifications === 'denied' ? [] : ['notifications'])],
    })
    await context.addInitScript(watchNotifications, notifications === 'asks')
    const page = await context.newPage()
    const person = new Person(context, page)
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

  /** Chooses a way in: Guest, Log in, Register. */
  async chooses(way: 'Guest' | 'Log in' | 'Register'): Promise<void> {
    await this.page.getByRole('radio', { name: way }).check({ force: true })
  }

  async fillIn(name: string, password: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name)
    await this.page.getByLabel('Password', { exact: true }).fill(password)
    await this.page.locator('.card form button[type=submit]').click()
  }

  /** Makes an account, and comes in. */
  static async register(browser: Browser, url: string, name: string, look: Look = {}): Promise<Person> {
    const person = await Person.arrive(browser, url, look)
    await person.chooses('Register')
    await person.fillIn(name, PASSWORD)
    await person.composer.waitFor()
    return person
  }

  /** Comes in to an account, on a device of its own. */
  static async logIn(browser: Browser, url: string, name: string, look: Look = {}): Promise<Person> {
    const person = await Person.arrive(browser, url, look)
    await person.chooses('Log in')
    await person.fillIn(name, PASSWORD)
    await person.composer.waitFor()
    return person
  }

  get dialog() {
    return this.page.getByRole('dialog')
  }

  async opensSettings(): Promise<void> {
    await this.page.getByRole('button', { name: 'Settings', exact: true }).click()
    await this.dialog.waitFor()
  }

  async opensRoomSettings(): Promise<void> {
    await this.page.getByRole('button', { name: 'Settings of the room' }).click()
    await this.dialog.waitFor()
  }

  async closesDialog(): Promise<void> {
    await this.page.keyboard.press('Escape')
    await this.dialog.waitFor({ state: 'detached' })
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

  /** Makes a room, and is there then. */
  async creates(room: string, isPrivate = false): Promise<void> {
    await this.page.getByRole('button', { name: 'Browse or create rooms' }).click()
    await this.page.getByLabel('Find a room, or name a new one').fill(room)
    if (isPrivate) await this.page.getByRole('switch', { name: 'Private' }).check()
    await this.page.getByRole('button', { name: `Create #${room}` }).click()
    await this.page.getByRole('heading', { name: room, level: 1 }).waitFor()
  }

  /** Goes into a room by the switcher. */
  async joins(room: string): Promise<void> {
    await this.page.keyboard.press('Control+k')
    await this.page.getByRole('combobox', { name: 'Room or person' }).fill(room)
    await this.page.keyboard.press('Enter')
    await this.isIn(room)
  }

  /** Waits until a room is the one in sight, though a dialog may be above it. */
  async isIn(room: string): Promise<void> {
    await this.page.getByRole('heading', { name: room, level: 1, includeHidden: true }).waitFor()
  }

  /** Looks at something else: another window, or another tab; or comes back. */
  async looksAway(how: 'window' | 'tab' | 'back'): Promise<void> {
    await this.page.evaluate((to) => {
      const state = to === 'tab' ? 'hidden' : 'visible'
      document.hasFocus = () => to === 'back'
      Object.defineProperty(document, 'visibilityState', { value: state, configurable: true })
      Object.defineProperty(document, 'hidden', { value: state === 'hidden', configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
      dispatchEvent(new Event(to === 'back' ? 'focus' : 'blur'))
    }, how)
  }

  /** What the browser keeps of the rooms. */
  stored(): Promise<string> {
    return this.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const opening = indexedDB.open('klatch')
          // Whoever comes before the page has made its database must not make an empty one in its place.
          opening.onupgradeneeded = () => opening.transaction?.abort()
          opening.onerror = (event) => {
            event.preventDefault()
            resolve('')
          }
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
  }

  /** Waits until the browser has stored a text, to be read without a connection. */
  async isKept(text: string): Promise<void> {
    await expect.poll(() => this.stored(), { timeout: PATIENCE }).toContain(text)
  }

  /** Does what leads to a message, and sees it marked: for some seconds it is, so the look begins before. */
  async isLedTo(text: string, act: () => Promise<void>): Promise<void> {
    const marked = this.page.locator('.message.found', { hasText: text }).waitFor()
    await Promise.all([marked, act()])
    const focused = await this.page.evaluate(() => document.activeElement?.textContent)
    expect(focused).toContain(text)
  }

  async leave(): Promise<void> {
    // What somebody saw when a test failed says more than what did not appear.
    if (TestRunner.getCurrentTest()?.result?.state === 'fail') {
      const sight = await this.page.evaluate(() => document.body.innerText).catch(String)
      console.error(`in sight when the test failed: ${sight.slice(-2_000)}`)
    }
    await this.context.close()
  }

  private listen(message: ConsoleMessage): void {
    // A connection that cannot be made is told by the browser itself.
    if (message.type() === 'error' && !/WebSocket connection|ERR_CONNECTION|net::/.test(message.text()))
      this.complaints.push(message.text())
  }
}
