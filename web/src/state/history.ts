/** Pages of a room's history: older ones, newer ones, and those around a message. */

import type { HistoryPage } from '../protocol'
import { wordsFor } from './actions'
import { atBottom, current, markRead, theClient, welcome } from './chat'
import { askPatiently } from './patience'
import type { RoomView } from './room'

/** Who scrolls on as soon as a page is there gets this many at once. */
const HURRY_PAGES = 5
const HURRY_MS = 2_000
let loadedAt = 0

type Where = { before?: number; after?: number }

const pageSize = (): number => Number(welcome.value?.limits.history_page ?? 200)

/** A page, unless there is none to be had, or the room's numbers are others by now. */
async function page(view: RoomView, where: Where): Promise<HistoryPage | undefined> {
  const outcome = await theClient()?.request('history', { room: view.name, limit: pageSize(), ...where })
  return outcome?.ok && outcome.result.epoch === view.epoch ? outcome.result : undefined
}

const partOf = ({ entries, head }: HistoryPage) => ({ entries, head: Number(head) })

/** Loads what stands before the oldest entry; true if there was something, undefined if it could not be had now. */
export async function loadOlder(view: RoomView): Promise<boolean | undefined> {
  const { timeline } = view
  if (!theClient()?.core.online || view.loading.value || !timeline.more) return false
  view.loading.value = true
  const [fresh, turn] = [timeline.firstSeq === undefined, timeline.turn]
  const pages = !fresh && Date.now() - loadedAt < HURRY_MS ? HURRY_PAGES : 1
  const shown = timeline.firstSeq !== undefined
  const start = timeline.firstSeq
  let refused = false
  for (let i = 0; i < pages && timeline.more; i++) {
    const before = timeline.firstSeq
    const found = await page(view, before === undefined ? {} : { before })
    refused = !found
    // Meanwhile the list may have begun anew.
    if (!found || timeline.turn !== turn) break
    timeline.prepend(partOf(found), found.more && found.entries.length > 0)
  }
  view.loading.value = false
  loadedAt = Date.now()
  if (timeline.turn !== turn) return false
  view.show(shown)
  if (fresh) markRead()
  // Also when nothing of it is to be seen: behind a thousand reactions there are messages again.
  return timeline.firstSeq !== start || (refused ? undefined : false)
}

/** Loads what follows the part that somebody jumped to. */
export async function loadNewer(view: RoomView): Promise<void> {
  const { timeline } = view
  const after = timeline.behind
  if (!theClient()?.core.online || view.loading.value || after === undefined) return
  view.loading.value = true
  const turn = timeline.turn
  const found = await page(view, { after })
  view.loading.value = false
  if (!found || timeline.turn !== turn) return
  timeline.extend(partOf(found), found.more)
  view.show()
}

/** Brings a message into sight, wherever it is in the history; gives the words to say why it cannot. */
export async function showMessage(view: RoomView, seq: number): Promise<string | undefined> {
  const { timeline } = view
  if (!timeline.shows(seq)) {
    const turn = timeline.turn
    const outcome = await askPatiently('history', { room: view.name, limit: pageSize(), around: seq })
    if (!outcome.ok) return wordsFor(outcome.failure)
    const found = outcome.result
    if (found.epoch !== view.epoch || !found.entries.some((entry) => Number(entry.seq) === seq))
      return 'That message is not there any more.'
    // Meanwhile one went elsewhere, in this room or to another.
    if (timeline.turn !== turn || current.value !== view) return undefined
    timeline.jump(partOf(found), Number(found.entries[0]!.seq) > Number(found.first), found.more)
  }
  atBottom.value = false
  view.target.value = seq
  view.show()
  return undefined
}

/** From an older part of the history back to the newest. */
export function showNewest(view: RoomView): void {
  view.timeline.comeBack()
  atBottom.value = true
  view.show()
  if (view.timeline.firstSeq === undefined) void loadOlder(view)
  markRead()
}
