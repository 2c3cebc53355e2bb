/** Texts, and what is done to them, from the moment they are said until the server has acknowledged it.
 *
 * Each has its key before it is first sent, and keeps it on every retry: so it reaches the server
 * at least once, and is said exactly once. One text of a room is under way at a time, so that a
 * text that must wait is never overtaken by a later one. The list is stored whenever it changes,
 * so that a reload of the page loses nothing.
 */

import type { ErrorBody, Methods } from './spec.gen'

/** What is done to a message that is there already. */
export type Deed = 'edit' | 'delete' | 'react' | 'unreact'

export interface Outgoing {
  key: Uint8Array
  room: string
  /** The text; the new text of an edit; the reaction. */
  text: string
  /** The message that is answered, or that something is done to. */
  re?: number
  /** Something is done to the message `re`, and nothing said. */
  deed?: Deed
  /** When it was said, in milliseconds since 1970. */
  time: number
  /** Why the server will not take it. It stays until it is sent again or taken away. */
  refused?: ErrorBody
  /** Its place in the room, once it is acknowledged. */
  seq?: number
}

/** How the server is asked for it. */
export function requestOf(item: Outgoing): { [M in Asked]: { method: M; params: Methods[M]['params'] } }[Asked] {
  const { room, text, key, re = 0 } = item
  switch (item.deed) {
    case 'edit':
      return { method: 'edit', params: { room, seq: re, text, key } }
    case 'delete':
      return { method: 'delete', params: { room, seq: re, key } }
    case 'react':
    case 'unreact':
      return { method: 'react', params: { room, seq: re, reaction: text, on: item.deed === 'react', key } }
    case undefined:
      return { method: 'say', params: { room, text, key, ...(item.re === undefined ? {} : { re }) } }
  }
}

type Asked = 'say' | 'edit' | 'delete' | 'react'

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

  /** What was told of the room is forgotten; if its numbers have started `anew`, they lead to no message. */
  reset(room: string, anew: boolean): void {
    if (anew) for (const item of this.items) if (item.room === room && !item.deed) delete item.re
    this.drop(room, (item) => item.seq !== undefined || (anew && item.deed !== undefined))
  }

  /** The room has another name. What the old one was refused for is sent again. */
  rename(from: string, to: string): void {
    for (const item of this.items) {
      if (item.room !== from) continue
      item.room = to
      if (item.refused?.name === 'not_found') delete item.refused
    }
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
