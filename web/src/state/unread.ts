/** How far an account has read, on all its devices: the server keeps it, and counts what is unread. A guest's
 * counts are this browser's alone.
 */

import { batch, effect } from '@preact/signals'

import type { UnreadInfo } from '../protocol'
import { account, also, keepSoon, link, rooms, supports, theClient } from './chat'
import type { RoomView } from './room'

/** The server wants to be told about once a second, for each room. */
const PAUSE = 1_000
/** Pages that were missed come after each other within this time. */
const SOON = 300
/** A server that was too busy to count is asked again. */
const AGAIN = 3_000
/** So often it is counted again if somebody says something meanwhile. */
const TRIES = 3

const later = new Map<RoomView, ReturnType<typeof setTimeout>>()

/** Tells the server how far was read here. */
function mark(view: RoomView): void {
  if (!account.value || view.read <= view.marked || later.has(view)) return
  const tell = (): void => {
    later.delete(view)
    const seq = view.read
    if (seq <= view.marked || !theClient()?.core.online) return
    void theClient()!.request('mark_read', { room: view.name, seq }).then((outcome) => {
      if (outcome.ok) view.marked = Math.max(view.marked, seq)
    })
  }
  later.set(view, setTimeout(tell, PAUSE))
}

/** What was read on another device is read here too. */
function readElsewhere(view: RoomView, seq: number): void {
  view.marked = Math.max(view.marked, seq)
  if (seq <= view.read) return
  view.read = seq
  if (seq >= Number(view.state.value.seq)) setCounts(view, 0, 0)
  else void count()
}

function setCounts(view: RoomView, unread: number, mentions: number): void {
  batch(() => {
    view.unread.value = unread
    view.mentions.value = view.direct ? unread : mentions
  })
  keepSoon()
}

/** Asks the server what is unread, and takes it over. */
async function count(): Promise<void> {
  const client = theClient()
  if (!client || !account.value || !supports('unread')) return
  for (let i = 0; i < TRIES; i++) {
    const before = new Map(rooms.value.map((view) => [view, view.news]))
    const found = await list()
    if (!found) {
      clearTimeout(counting)
      if (client.core.online) counting = setTimeout(() => void count(), AGAIN)
      return
    }
    // What is said while the server counts would be counted twice, or not at all.
    const quiet = rooms.value.every((view) => before.get(view) === view.news)
    if (!quiet && i < TRIES - 1) continue
    for (const view of rooms.value) {
      const info = found.get(view.name)
      // What was read here a moment ago, the server may not know yet.
      if (!info || Number(info.read) >= view.read) setCounts(view, info?.unread ?? 0, info?.mentions ?? 0)
    }
    return
  }
}

async function list(): Promise<Map<string, UnreadInfo> | undefined> {
  const found = new Map<string, UnreadInfo>()
  for (let after: string | undefined; ; ) {
    const outcome = await theClient()?.request('unread', after === undefined ? {} : { after })
    if (!outcome?.ok) return undefined
    for (const info of outcome.result.rooms) found.set(info.room, info)
    after = outcome.result.rooms.at(-1)?.room
    if (!outcome.result.more || after === undefined) return found
  }
}

let counting: ReturnType<typeof setTimeout> | undefined

/** Counts as soon as all is there that was missed. */
function missed(): boolean {
  if (!account.value || !supports('unread')) return false
  clearTimeout(counting)
  counting = setTimeout(() => void count(), SOON)
  return true
}

/** Begins to follow. */
export function followUnread(): void {
  also({ read: mark, readElsewhere, missed })
  effect(() => {
    if (link.value.phase !== 'online') return
    for (const view of rooms.peek()) mark(view)
    void count()
  })
}
