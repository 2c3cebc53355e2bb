/** The rooms as they are stored in the browser, and back. */

import type { Entry, Place } from '../protocol'
import { RoomView } from './room'
import { saveSnapshot, type Snapshot } from './stored'
import { entryOf, type Item } from './items'

/** Entries of a room that can be read without a connection. */
const KEPT = 200

/** The newest entries without a gap between them. */
function newest(items: Item[]): Entry[] {
  const from = items.findLastIndex((item) => item.kind === 'gap') + 1
  const entries: Entry[] = []
  for (let i = items.length - 1; i >= from && entries.length < KEPT; i--) {
    const item = items[i]!
    if (item.kind !== 'message' && item.kind !== 'topic') continue
    entries.push(entryOf(item))
  }
  return entries.reverse()
}

export function keepSnapshot(
  name: string,
  current: string | undefined,
  rooms: RoomView[],
): Promise<void> {
  const kept = rooms
    .filter((room) => !room.gone.value && !room.removed.value)
    .map((room) => ({
      state: room.state.value,
      epoch: room.epoch,
      read: room.read,
      unread: room.unread.value,
      mentions: room.mentions.value,
      last: room.timeline.lastSeq,
      barred: room.barred.value,
      entries: newest(room.timeline.newest),
    }))
  return saveSnapshot({ name, current, rooms: kept })
}

export function fromSnapshot(snapshot: Snapshot): RoomView[] {
  return snapshot.rooms.map((stored) => {
    const room = new RoomView(stored.state)
    room.epoch = stored.epoch
    room.read = stored.read
    room.unread.value = stored.unread
    room.mentions.value = stored.mentions
    room.timeline.me = snapshot.name
    room.timeline.restore(stored.entries, stored.last)
    if ((stored.barred?.until ?? 0) > Date.now()) room.barred.value = stored.barred
    room.show()
    return room
  })
}

/** Where the rooms are to be gone on from. */
export function placesOf(rooms: RoomView[]): Place[] {
  return rooms.filter((room) => !room.removed.value).map((room) => {
    const { with: other } = room.state.value
    const last = room.timeline.lastSeq ?? room.read
    const place = { room: room.name, epoch: room.epoch, last }
    return other === undefined ? place : { ...place, with: other }
  })
}
