/** What reaches people who do not look: the title's badge, and notifications of the system. */

import { effect, type ReadonlySignal } from '@preact/signals'

import { prefs } from './prefs'

export interface News {
  room: string
  title: string
  text: string
}

/** Keeps the window's title and the icon's badge at the number of unread things. */
export function followBadge(
  unread: ReadonlySignal<number>,
  urgent: ReadonlySignal<number>,
  place: ReadonlySignal<string>,
): void {
  effect(() => {
    const count = urgent.value
    const mark = count > 0 ? `(${count}) ` : unread.value > 0 ? '• ' : ''
    document.title = `${mark}${place.value ? `${place.value} · ` : ''}Klatch`
    if ('setAppBadge' in navigator) {
      const done = count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()
      done.catch(() => {})
    }
  })
}

/** Whether the browser would show a notification. */
export const canNotify = (): boolean =>
  typeof Notification !== 'undefined' && Notification.permission === 'granted'

/** Asks the person, once; true if they agree. */
export async function askToNotify(): Promise<boolean> {
  if (typeof Notification === 'undefined') return false
  return (await Notification.requestPermission()) === 'granted'
}

/** Tells somebody who is not looking. */
export function notify(news: News, open: () => void): void {
  if (!prefs.value.notify || !canNotify() || (document.hasFocus() && !document.hidden)) return
  try {
    const shown = new Notification(news.title, {
      body: news.text.slice(0, 200),
      tag: news.room,
      icon: '/icon-192.png',
    })
    shown.onclick = () => {
      window.focus()
      open()
      shown.close()
    }
  } catch {
    // Some phones only take them from a service worker; the badge is there.
  }
}
