/** The items of a timeline: entries of the history, lines about who came and went, gaps. */

import type { Entry } from '../protocol'

/** A message as it is now. */
export interface Message {
  kind: 'message'
  id: string
  seq: number
  time: number
  from: string
  text: string
  /** The message that it answers. */
  re?: number
  /** When it was last edited. */
  edited?: number
  /** When it was deleted. */
  deleted?: number
  reactions: Reacted[]
  /** Changes up to this seq are in it. */
  asOf: number
}

export interface Reacted {
  text: string
  count: number
  /** The first of them. */
  names: string[]
  /** Whether it is one's own too; undefined where too many have it to tell. */
  mine?: boolean
}

export interface TopicLine {
  kind: 'topic'
  id: string
  seq: number
  time: number
  from: string
  text: string
}

export type Item =
  | Message
  | TopicLine
  | { kind: 'gap'; id: string; time: number; from: number; to: number }
  | Presence
  /** What somebody did to the room or to its members: it is in no history. */
  | { kind: 'note'; id: string; time: number; note: Note }

/** A sentence around names: `by` what `whom` then. */
export interface Note {
  by: string
  what: string
  whom?: string
  then?: string
}

/** Comings and goings with nothing said in between, as one line. */
export interface Presence {
  kind: 'presence'
  id: string
  time: number
  joined: string[]
  left: string[]
  /** How many more came or went than are named. */
  more: number
}

/** The items of entries: what is shown as a row of its own. A message of a page of the history is as it
 * was when the newest entry was `head`; one that was just said has no change yet.
 */
export const itemsOf = (entries: Entry[], me?: string, head?: number): (Message | TopicLine)[] =>
  entries.flatMap((entry): (Message | TopicLine)[] => {
    const { kind, from, text } = entry
    const base = { id: `s${Number(entry.seq)}`, seq: Number(entry.seq), time: Number(entry.time), from, text }
    if (kind === 'topic') return [{ kind, ...base }]
    return kind === 'message' ? [{ kind, ...base, ...stateOf(entry, me), asOf: head ?? base.seq }] : []
  })

/** Most messages have none. */
const NONE: Reacted[] = []

function stateOf({ re, edited, deleted, reactions = [] }: Entry, me: string | undefined) {
  return {
    ...(re === undefined ? {} : { re: Number(re) }),
    ...(edited === undefined ? {} : { edited: Number(edited) }),
    ...(deleted === undefined ? {} : { deleted: Number(deleted) }),
    reactions: reactions.length === 0 ? NONE : reactions.map((one): Reacted => {
      const { text, count, names } = one
      const mine = me !== undefined && names.includes(me) ? true : count > names.length ? undefined : false
      return { text, count, names, ...(mine === undefined ? {} : { mine }) }
    }),
  }
}

/** A message or a topic as an entry again, to be kept. */
export function entryOf(item: Message | TopicLine): Entry {
  const { kind, seq, time, from, text } = item
  if (kind === 'topic') return { kind, seq, time, from, text }
  const { re, edited, deleted, reactions } = item
  const entry: Entry = { kind, seq, time, from, text }
  if (re !== undefined) entry.re = re
  if (edited !== undefined) entry.edited = edited
  if (deleted !== undefined) entry.deleted = deleted
  if (reactions.length > 0) entry.reactions = reactions.map(({ text, count, names }) => ({ text, count, names }))
  return entry
}

export const seqOf = (item: Item | undefined): number | undefined =>
  item && 'seq' in item ? item.seq : undefined

/** Where the entry `seq` stands among items, whose seqs ascend; -1 if it does not. */
export function placeOf(items: Item[], seq: number): number {
  let [low, high] = [0, items.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    // Lines without a seq stand between those that have one.
    let at = middle
    while (at <= high && seqOf(items[at]) === undefined) at += 1
    const found = seqOf(items[at])
    if (at > high || found === undefined || found > seq) high = middle - 1
    else if (found === seq) return at
    else low = at + 1
  }
  return -1
}
