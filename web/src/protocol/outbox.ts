/** Texts from the moment they are said until the server has acknowledged them.
 *
 * Each has its key before it is first sent, and keeps it on every retry: so it reaches the server
 * at least once, and is said exactly once. One text of a room is under way at a time, so that a
 * text that must wait is never overtaken by a later one. The list is stored whenever it changes,
 * so that a reload of the page loses nothing.
 */

import type { ErrorBody } from './spec.gen'

export interface Outgoing {
  key: Uint8Array
  room: string
  text: string
  /** When it was said, in milliseconds since 1970. */
  time: number
  /** Why the server will not take it. It stays until it is sent again or taken away. */
  refused?: ErrorBody
  /** Its place in the room, once it is acknowledged. */
  seq?: number
}

/** Where the outbox is kept while the page is not there. */
export interface OutboxStore {
  load(): Outgoing[]
  save(items: Outgoing[]): void
}

/** A store for a client that keeps nothing. */
export const forgetful: OutboxStore = { load: () => [], save: () => {} }

/** Unsent texts; more are not taken. */
const MOST = 200

export class Outbox {
  items: Outgoing[]
  private underway = new Set<Outgoing>()
  /** Until when a room takes no text. */
  private waits = new Map<string, number>()

  constructor(
    private readonly store: OutboxStore,
    private readonly changed: (room: string) => void,
  ) {
    this.items = store.load().slice(0, MOST)
  }

  get full(): boolean {
    return this.items.length >= MOST
  }

  add(item: Outgoing): void {
    this.items.push(item)
    this.save(item.room)
  }

  /** The next to send, if one may go now; it is under way from then on. */
  next(now: number): Outgoing | undefined {
    const blocked = new Set([...this.underway].map((item) => item.room))
    for (const item of this.items) {
      if (item.refused || item.seq !== undefined) continue
      if (!blocked.has(item.room) && (this.waits.get(item.room) ?? 0) <= now) {
        this.underway.add(item)
        this.waits.delete(item.room)
        return item
      }
    }
    return undefined
  }

  /** When a refused one may be tried again, if one waits for that. */
  retryAt(): number | undefined {
    const waiting = this.items.filter((item) => !item.refused && item.seq === undefined)
    const times = waiting.flatMap((item) => this.waits.get(item.room) ?? [])
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** It is said. It is shown until the room has told the entry `seq` itself. */
  acknowledged(item: Outgoing, seq: number): void {
    this.underway.delete(item)
    this.waits.delete(item.room)
    item.seq = seq
    this.save(item.room)
  }

  /** The server will not take it: for good, or for `wait` milliseconds. */
  refused(item: Outgoing, error: ErrorBody, wait: number | undefined, now: number): void {
    this.underway.delete(item)
    if (wait === undefined) item.refused = error
    else this.waits.set(item.room, now + wait)
    this.save(item.room)
  }

  /** The connection was lost: whether what was under way took effect is unknown. */
  lost(): void {
    this.underway.clear()
    this.waits.clear()
  }

  /** The room has told its entries up to `last`. */
  told(room: string, last: number): void {
    this.drop(room, (item) => item.seq !== undefined && item.seq <= last)
  }

  /** The room's numbers mean nothing any more. */
  reset(room: string): void {
    this.drop(room, (item) => item.seq !== undefined)
  }

  /** A direct room has another name on a server that was restarted. */
  rename(from: string, to: string): void {
    for (const item of this.items) if (item.room === from) item.room = to
    this.save(to)
  }

  /** Takes it away; only if it is not under way. */
  discard(item: Outgoing): boolean {
    if (this.underway.has(item) || item.seq !== undefined) return false
    this.drop(item.room, (other) => other === item)
    return true
  }

  /** Sends again what was refused. */
  retry(item: Outgoing): void {
    delete item.refused
    this.save(item.room)
  }

  private drop(room: string, which: (item: Outgoing) => boolean): void {
    const kept = this.items.filter((item) => item.room !== room || !which(item))
    if (kept.length === this.items.length) return
    this.items = kept
    this.save(room)
  }

  private save(room: string): void {
    this.store.save(this.items.filter((item) => item.seq === undefined))
    this.changed(room)
  }
}
