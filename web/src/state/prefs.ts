/** Settings of this browser, kept over a reload. */

import { effect, signal } from '@preact/signals'

import { load, save } from './stored'

export interface Prefs {
  theme: 'system' | 'light' | 'dark'
  /** Tell of mentions and direct messages while the page is not seen. */
  notify: boolean
  /** Enter sends, and Shift+Enter begins a line; or the other way round with Ctrl+Enter. */
  enterSends: boolean
  /** Show who came and went. */
  presence: boolean
  /** Show the members beside a room, where there is space. */
  members: boolean
}

const DEFAULTS: Prefs = {
  theme: 'system',
  notify: false,
  enterSends: true,
  presence: true,
  members: true,
}

export const prefs = signal<Prefs>({ ...DEFAULTS, ...load<Partial<Prefs>>('prefs') })

export function setPref<K extends keyof Prefs>(key: K, value: Prefs[K]): void {
  prefs.value = { ...prefs.value, [key]: value }
}

/** Keeps the page in the theme that is set, and the settings in the browser. */
export function followPrefs(): void {
  effect(() => {
    save('prefs', prefs.value)
    const { theme } = prefs.value
    const root = document.documentElement
    if (theme === 'system') root.removeAttribute('data-theme')
    else root.setAttribute('data-theme', theme)
  })
  // Set in another tab.
  addEventListener('storage', () => (prefs.value = { ...DEFAULTS, ...load<Partial<Prefs>>('prefs') }))
}
