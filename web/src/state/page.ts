/** What ties the state to the page around it: sleep and waking, the network, the title, the address,
 * the service worker.
 */

import { computed, effect, signal } from '@preact/signals'

import { way } from './account'
import { open, show } from './actions'
import {
  current, findRoom, keepNow, markRead, me, notice, online, resume, rooms, theClient, unreadRooms, urgent,
} from './chat'
import { followBlocks } from './blocks'
import { followFates } from './fate'
import { invitation, takeInvitation } from './invitation'
import { followBadge, followNotifications } from './notify'
import { ADMIN, atAdmin } from './place'
import { followPrefs } from './prefs'
import type { RoomView } from './room'
import { followUnread } from './unread'

/** Whether it is known by now if somebody was here before. */
export const begun = signal(false)
takeInvitation()
/** A room that the address asks for, until it is there. */
export const wanted = signal<string | undefined>(roomInAddress())

export function followPage(): void {
  followPrefs()
  followBadge(unreadRooms, urgent, computed(() => current.value?.title.value ?? ''))
  followNotifications((name) => {
    const view = findRoom(name)
    if (view) show(view)
  })
  followAddress()
  followUnread()
  followFates()
  followBlocks()
  const wake = (): void => {
    if (document.hidden) return keepNow()
    theClient()?.wake()
    markRead()
  }
  document.addEventListener('visibilitychange', wake)
  document.addEventListener('resume', wake)
  addEventListener('focus', markRead)
  addEventListener('online', () => theClient()?.wake())
  // The connection that is there is asked whether it still is.
  addEventListener('offline', () => online.value && theClient()?.wake())
  addEventListener('pageshow', () => theClient()?.wake())
  addEventListener('pagehide', keepNow)
  followClock(() => theClient()?.wake())
  void resume().finally(() => {
    if (me.value !== undefined) refuseInvitation()
    else if (invitation.value !== undefined) way.value = 'register'
    begun.value = true
  })
  if (import.meta.env.PROD) registerWorker()
}

const TICK = 4_000
/** Longer than between two ticks however slow the machine is, and than browsers let a page in the background wait. */
const ASLEEP = { seen: 4 * TICK, hidden: 90_000 }

/** A computer that was asleep tells nobody that it wakes, and counts on where timers stood; but its clock has gone on. */
function followClock(woken: () => void): void {
  let last = Date.now()
  setInterval(() => {
    const now = Date.now()
    if (now - last > (document.hidden ? ASLEEP.hidden : ASLEEP.seen)) woken()
    last = now
  }, TICK)
}

/** An invitation makes a new account: who is here already has one, or a name to log out of. */
function refuseInvitation(): void {
  if (invitation.value !== undefined) notice.value = 'The invitation makes a new account. Log out to use it.'
}

function roomInAddress(): string | undefined {
  try {
    return decodeURIComponent(location.hash.slice(1)) || undefined
  } catch {
    return undefined
  }
}

/** Each room has an address of its own, so that one can go back, and hand it on. */
function followAddress(): void {
  let before: RoomView | undefined
  effect(() => {
    const view = current.value
    const name = view?.state.value.room
    if (atAdmin.value) return
    if (name === undefined || wanted.value !== undefined || name === roomInAddress()) return
    const address = `/#${encodeURIComponent(name)}`
    // Another name is no other place.
    if (location.hash && view !== before) history.pushState(null, '', address)
    else history.replaceState(null, '', address)
    before = view
  })
  effect(() => {
    if (wanted.value === undefined) return
    const view = rooms.value.find((room) => room.name === wanted.value)
    // A conversation that is no more cannot be joined.
    if (!view && !(online.value && wanted.value.startsWith('@'))) return
    wanted.value = undefined
    if (view) open(view)
  })
  const moved = (): void => {
    atAdmin.value = location.pathname === ADMIN
    if (atAdmin.value) return
    if (takeInvitation()) {
      if (me.value === undefined) way.value = 'register'
      return refuseInvitation()
    }
    const name = roomInAddress()
    const view = name === undefined ? undefined : findRoom(name)
    if (view) open(view)
    else wanted.value = name
  }
  addEventListener('popstate', moved)
  addEventListener('hashchange', moved)
}

function registerWorker(): void {
  if (!('serviceWorker' in navigator)) return
  // The only script that is ever loaded by its address.
  const policy = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes?.createPolicy('klatch', {
    createScriptURL: (url: string) => {
      if (url !== '/sw.js') throw new TypeError('no script but the service worker')
      return url
    },
  })
  const url = policy ? policy.createScriptURL('/sw.js') : '/sw.js'
  navigator.serviceWorker.register(url as string, { scope: '/' }).catch(() => {})
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): unknown }
}
