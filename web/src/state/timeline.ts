/** What a room shows, from the oldest entry that was loaded to the newest.
 *
 * One list for all: entries of the history, lines about who came and went, gaps. Rows look at their
 * predecessor to find out about days and authors, so a new row costs nothing but itself.
 */

import type { Entry } from '../protocol'

export type Item =
  | { kind: 'message' | 'topic'; id: string; seq: number; time: number; from: string; text: string }
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

/** Names that one line remembers. */
const NAMED = 64

let ids = 0
const newId = (): string => `v${(ids += 1)}`

/** The items of entries: what is shown as a row of its own. */
export const itemsOf = (entries: Entry[]): Item[] =>
  entries.flatMap(({ kind, seq, time, from, text }): Item[] =>
    kind === 'message' || kind === 'topic'
      ? [{ kind, id: `s${Number(seq)}`, seq: Number(seq), time: Number(time), from, text }]
      : [],
  )

export class Timeline {
  items: Item[] = []
  /** Whether the room's history holds more than the oldest item. */
  more = true
  /** The oldest and the newest entry that were given, be they rows or not. */
  private low: number | undefined
  private high: number | undefined

  /** The oldest and the newest seq that are loaded. */
  get firstSeq(): number | undefined {
    const first = seqOf(this.items.find((item) => seqOf(item) !== undefined))
    return first === undefined ? this.low : Math.min(first, this.low ?? first)
  }

  get lastSeq(): number | undefined {
    const last = seqOf(this.items.findLast((item) => seqOf(item) !== undefined))
    return last === undefined ? this.high : Math.max(last, this.high ?? last)
  }

  append(entries: Entry[]): void {
    const last = this.lastSeq ?? 0
    const fresh = entries.filter((entry) => Number(entry.seq) > last)
    const newest = fresh.at(-1)
    if (!newest) return
    this.high = Number(newest.seq)
    this.items = [...this.items, ...itemsOf(fresh)]
    for (const entry of fresh) this.change(entry)
  }

  /** A message has another text now, or none. */
  private change({ kind, re, text }: Entry): void {
    if (kind !== 'edit' && kind !== 'delete') return
    const at = this.items.findLastIndex((item) => item.kind === 'message' && item.seq === Number(re))
    const item = this.items[at]
    if (item?.kind !== 'message') return
    this.items = this.items.with(at, { ...item, text: kind === 'edit' ? text : '' })
  }

  /** Older entries. Gives how many they were. */
  prepend(entries: Entry[], more: boolean): number {
    this.more = more
    const first = this.firstSeq ?? Infinity
    const before = entries.filter((entry) => Number(entry.seq) < first)
    if (before[0]) this.low = Number(before[0].seq)
    const older = itemsOf(before)
    if (older.length > 0) this.items = [...older, ...this.items]
    return older.length
  }

  gap(from: number, to: number, time: number): void {
    this.items = [...this.items, { kind: 'gap', id: newId(), from, to, time }]
  }

  presence(joined: string[], left: string[], more: number, time: number): void {
    const before = this.items.at(-1)
    if (before?.kind === 'presence' && sameDay(before.time, time)) {
      const line = fold(before, joined, left, more)
      this.items = line ? [...this.items.slice(0, -1), line] : this.items.slice(0, -1)
    } else {
      const line: Presence = { kind: 'presence', id: newId(), time, joined, left, more }
      this.items = [...this.items, line]
    }
  }

  note(time: number, note: Note): void {
    this.items = [...this.items, { kind: 'note', id: newId(), time, note }]
  }

  clear(): void {
    this.items = []
    this.low = this.high = undefined
    this.more = true
  }

  /** Keeps the newest `count`, so that a room that is not looked at costs little. */
  trim(count: number): void {
    if (this.items.length <= count) return
    this.items = this.items.slice(-count)
    this.low = undefined
    this.more = true
  }
}

/** Who came and went again is as if never there. Undefined if nothing is left to say. */
function fold(line: Presence, joined: string[], left: string[], more: number): Presence | undefined {
  let come = [...line.joined]
  let gone = [...line.left]
  for (const name of joined) {
    if (gone.includes(name)) gone = gone.filter((other) => other !== name)
    else come.push(name)
  }
  for (const name of left) {
    if (come.includes(name)) come = come.filter((other) => other !== name)
    else gone.push(name)
  }
  const over = Math.max(0, come.length - NAMED) + Math.max(0, gone.length - NAMED)
  const total = line.more + more + over
  if (come.length === 0 && gone.length === 0 && total === 0) return undefined
  return { ...line, joined: come.slice(0, NAMED), left: gone.slice(0, NAMED), more: total }
}

export const seqOf = (item: Item | undefined): number | undefined =>
  item && 'seq' in item ? item.seq : undefined

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}
