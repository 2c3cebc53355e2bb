/** Searching what was said: pages of hits, the newest first. */

import { signal } from '@preact/signals'

import type { Hit, Uint64 } from '../protocol'
import { goTo } from './messages'
import { join, wordsFor } from './actions'
import { findRoom, notice } from './chat'
import { askPatiently } from './patience'
import type { Question } from '../text/question'

/** What stands in the field, and whether only the room that one is in is searched: kept while the page is. */
export const typed = signal('')
export const onlyHere = signal(false)

export interface Found {
  hits: Hit[]
  /** Where to go on; undefined if everything was searched. */
  next?: Uint64
}

/** Hits of one page. */
const PAGE = 30
/** Pages without a hit that are passed over at once: where there are many messages, a page may be empty. */
const EMPTY_PAGES = 40

/** The next hits, or why there are none to be had. */
export async function find(question: Question, before?: Uint64): Promise<Found | string> {
  let next = before
  for (let page = 0; page < EMPTY_PAGES; page += 1) {
    const params = { ...question, limit: PAGE, ...(next === undefined ? {} : { before: next }) }
    const outcome = await askPatiently('search', params)
    if (!outcome.ok) return wordsFor(outcome.failure)
    next = outcome.result.next
    if (outcome.result.hits.length > 0 || next === undefined) {
      return { hits: outcome.result.hits, ...(next === undefined ? {} : { next }) }
    }
  }
  return { hits: [], ...(next === undefined ? {} : { next }) }
}

/** Goes to a hit; into its room first, if one is not in it. */
export async function openHit({ room, entry }: Hit): Promise<void> {
  if (!findRoom(room)) {
    const joined = await join(room)
    if (!joined.ok) {
      notice.value = joined.why
      return
    }
  }
  await goTo(room, Number(entry.seq))
}
