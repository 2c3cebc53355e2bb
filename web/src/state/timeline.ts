/** What a room shows, from the oldest entry that was loaded to the newest.
 *
 * One list for all: entries of the history, lines about who came and went, gaps. Rows look at their
 * predecessor to find out about days and authors, so a new row costs nothing but itself.
 *
 * The list may be *away*: at an older part of the history, which somebody jumped to. The newest entries
 * are kept up with meanwhile, and shown again when one comes back.
 */

import type { Entry } from '../protocol'
import { changed, isChange } from './change'
import { itemsOf, placeOf, seqOf, type Item, type Message, type Note, type Presence } from './items'

/** Names that one line remembers. */
const NAMED = 64
/** Newest entries that are kept while the list is away. */
const PARKED = 400
/** Changes that are remembered: a page of the history may be older than they are. */
const RECENT = 512

let ids = 0
const newId = (): string => `v${(ids += 1)}`

/** A page of the history, as far as it matters here. */
interface Page {
  entries: Entry[]
  head: number
}

export class Timeline {
  items: Item[] = []
  /** Whether the room's history holds more than the oldest item. */
  more = true
  /** Counts how often the list was begun anew: what was asked for before is of no use then. */
  turn = 0
  /** Whose reactions are one's own. */
  me: string | undefined
  /** The newest items, while the list is away. */
  private parked: Item[] | undefined
  /** The newest entry of the part that is shown, while the list is away. */
  private top = 0
  /** The oldest and the newest entry that were given, be they rows or not. */
  private low: number | undefined
  private high: number | undefined
  private recent: Entry[] = []

  get away(): boolean {
    return this.parked !== undefined
  }

  /** The items that end with the newest. */
  get newest(): Item[] {
    return this.parked ?? this.items
  }

  /** The oldest and the newest seq that are loaded. */
  get firstSeq(): number | undefined {
    const first = seqOf(this.items.find((item) => seqOf(item) !== undefined))
    return first === undefined ? this.low : Math.min(first, this.low ?? first)
  }

  get lastSeq(): number | undefined {
    const last = seqOf(this.newest.findLast((item) => seqOf(item) !== undefined))
    return last === undefined ? this.high : Math.max(last, this.high ?? last)
  }

  /** The message `seq`, if it is loaded. */
  message(seq: number): Message | undefined {
    for (const items of [this.items, this.parked ?? []]) {
      const item = items[placeOf(items, seq)]
      if (item?.kind === 'message') return item
    }
    return undefined
  }

  /** Whether the entry can be scrolled to. */
  shows(seq: number): boolean {
    return placeOf(this.items, seq) >= 0
  }

  /** Entries that follow; those of a page are as they were at its `head`. */
  append(entries: Entry[], head?: number): void {
    const last = this.lastSeq ?? 0
    const fresh = entries.filter((entry) => Number(entry.seq) > last)
    const newest = fresh.at(-1)
    if (!newest) return
    this.high = Number(newest.seq)
    this.follow((items) => [...items, ...itemsOf(fresh, this.me, head)])
    for (const entry of fresh.filter(isChange)) this.change(entry)
  }

  /** Older entries. Gives how many they were. */
  prepend({ entries, head }: Page, more: boolean): number {
    this.more = more
    const first = this.firstSeq ?? Infinity
    const before = entries.filter((entry) => Number(entry.seq) < first)
    if (before[0]) this.low = Number(before[0].seq)
    const older = this.upToDate(before, head)
    if (older.length > 0) this.items = [...older, ...this.items]
    return older.length
  }

  /** Shows a page from within the history; `later` says whether entries follow it. */
  jump({ entries, head }: Page, more: boolean, later: boolean): void {
    this.parked ??= this.items.slice(-PARKED)
    this.turn += 1
    this.items = this.upToDate(entries, head)
    this.low = entries[0] && Number(entries[0].seq)
    this.top = Number(entries.at(-1)?.seq ?? head)
    this.more = more
    this.rejoin(later)
  }

  /** The seq after which the next page follows, while the list is away. */
  get behind(): number | undefined {
    return this.parked && this.top
  }

  /** The page that follows what is shown. */
  extend({ entries, head }: Page, later: boolean): void {
    if (!this.parked) return
    const after = entries.filter((entry) => Number(entry.seq) > this.top)
    this.top = Number(after.at(-1)?.seq ?? (later ? this.top : Math.max(this.top, head)))
    this.items = [...this.items, ...this.upToDate(after, head)]
    this.rejoin(later)
  }

  /** Nothing is between what is shown and the newest any more. */
  private rejoin(later: boolean): void {
    if (later || this.top < (this.lastSeq ?? 0)) return
    this.parked = undefined
    this.high = Math.max(this.top, this.high ?? 0)
  }

  /** Back to the newest. */
  comeBack(): void {
    if (!this.parked) return
    this.turn += 1
    this.items = this.parked
    this.parked = undefined
    this.low = undefined
    this.more = true
  }

  gap(from: number, to: number, time: number): void {
    this.follow((items) => [...items, { kind: 'gap', id: newId(), from, to, time }])
  }

  presence(joined: string[], left: string[], more: number, time: number): void {
    this.follow((items) => {
      const before = items.at(-1)
      if (before?.kind === 'presence' && sameDay(before.time, time)) {
        const line = fold(before, joined, left, more)
        return line ? [...items.slice(0, -1), line] : items.slice(0, -1)
      }
      return [...items, { kind: 'presence', id: newId(), time, joined, left, more }]
    })
  }

  note(time: number, note: Note): void {
    this.follow((items) => [...items, { kind: 'note', id: newId(), time, note }])
  }

  clear(): void {
    this.items = []
    this.parked = this.low = this.high = undefined
    this.recent = []
    this.more = true
    this.turn += 1
  }

  /** Entries that were kept in the browser, up to `last`. */
  restore(entries: Entry[], last: number | undefined): void {
    this.items = itemsOf(entries, this.me, last)
    this.high = last
  }

  /** Keeps the newest `count`, so that a room that is not looked at costs little. */
  trim(count: number): void {
    this.comeBack()
    if (this.items.length <= count) return
    this.turn += 1
    this.items = this.items.slice(-count)
    this.low = undefined
    this.more = true
  }

  /** Changes the end of the list that grows. */
  private follow(grow: (items: Item[]) => Item[]): void {
    if (this.parked) this.parked = grow(this.parked).slice(-PARKED)
    else this.items = grow(this.items)
  }

  /** A message is another one now. */
  private change(entry: Entry): void {
    // A deleted text is forgotten here too.
    const kept = entry.kind === 'delete' ? this.recent.filter(({ re }) => re !== entry.re) : this.recent
    this.recent = [...kept.slice(-RECENT), entry]
    this.items = this.changedIn(this.items, entry)
    if (this.parked) this.parked = this.changedIn(this.parked, entry)
  }

  private changedIn(items: Item[], entry: Entry): Item[] {
    const at = placeOf(items, Number(entry.re))
    const item = items[at]
    if (item?.kind !== 'message') return items
    const now = changed(item, entry, this.me)
    return now === item ? items : items.with(at, now)
  }

  /** The items of a page, with the changes that came after it was made. */
  private upToDate(entries: Entry[], head: number): Item[] {
    const newer = this.recent.filter((entry) => Number(entry.seq) > head)
    const items: Item[] = itemsOf(entries, this.me, head)
    return newer.reduce((all, entry) => this.changedIn(all, entry), items)
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

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}
