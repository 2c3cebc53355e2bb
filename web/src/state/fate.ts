/** What becomes of a room: it gets another name, it ends, or one is put out of it. */

import type { ClientEvent } from '../protocol'
import { also, keepSoon, me, notice, remove, rooms } from './chat'
import type { RoomView } from './room'
import { showSoon } from './show'

type Told<T extends ClientEvent['type']> = Extract<ClientEvent, { type: T }>

/** The room stays where it is: what was said, what is unread, what is half written. */
function renamed(view: RoomView, { from, to, by }: Told<'renamed'>): void {
  // One of that name may still be shown that is no more.
  for (const other of rooms.value.filter((each) => each !== view && each.name === to)) remove(other)
  view.state.value = { ...view.state.value, room: to }
  keepSoon()
  if (view.direct) return
  if (by === undefined) notice.value = `#${from} is called #${to} now.`
  else view.timeline.note(Date.now(), { by, what: `gave the room another name: #${from} is #${to} now` })
  showSoon(view)
}

/** The account is out of a room: another device left it, a moderator put it out, or it was deleted. */
function removed(view: RoomView, event: Told<'removed'>): void {
  view.typing.value = new Map()
  if (event.reason === 'deleted' && event.by === me.value) {
    notice.value = `#${view.name} is deleted.`
    return remove(view)
  }
  if (event.by !== undefined || ['kicked', 'banned', 'deleted'].includes(event.reason)) {
    view.removed.value = event
    keepSoon()
    return
  }
  if (event.away) notice.value = `You are not in #${view.name} any more: that happened while this page was away.`
  remove(view)
}

/** Begins to follow. */
export function followFates(): void {
  also({ renamed, removed })
}
