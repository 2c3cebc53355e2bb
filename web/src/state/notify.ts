/** What reaches people who do not look: the title's badge, and notifications of the system. */

import { effect, signal, type ReadonlySignal } from '@preact/signals'

import { prefs } from './prefs'

export interface News {
  room: string
  title: string
  text: string
}

/** Signs of a message that a notification shows: others may look at the screen too. */
const MOST = 200

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

const permissionNow = (): NotificationPermission | 'none' =>
  typeof Notification === 'undefined' ? 'none' : Notification.permission

/** What the browser says to notifications of this page; `none` if it has none at all. */
export const permission = signal(permissionNow())

/** Asks the person, once; true if they agree. */
export async function askToNotify(): Promise<boolean> {
  if (permissionNow() === 'default') await Notification.requestPermission()
  permission.value = permissionNow()
  return permission.value === 'granted'
}

/** Follows what is changed in the browser's own settings, and opens the room whose notification was pressed. */
export function followNotifications(open: (room: string) => void): void {
  void navigator.permissions
    ?.query({ name: 'notifications' })
    .then((status) => (status.onchange = () => (permission.value = permissionNow())))
    .catch(() => {})
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<{ open?: unknown } | null>) => {
    if (typeof data?.open === 'string') open(data.open)
  })
}

/** Tells somebody who is not looking. */
export function notify(news: News, open: () => void): void {
  if (!prefs.value.notify || permissionNow() !== 'granted' || (document.hasFocus() && !document.hidden)) return
  const signs = [...news.text.slice(0, 2 * MOST).replace(/\s+/gu, ' ').trim()]
  const body = signs.length > MOST ? `${signs.slice(0, MOST - 1).join('')}…` : signs.join('')
  const options = { body, tag: news.room, icon: '/icon-192.png', data: { room: news.room } }
  try {
    const shown = new Notification(news.title, options)
    shown.onclick = () => {
      window.focus()
      open()
      shown.close()
    }
  } catch {
    // Phones take them from a service worker only, which tells us when one was pressed.
    void navigator.serviceWorker?.ready
      .then((worker) => worker.showNotification(news.title, options))
      .catch(() => {})
  }
}
