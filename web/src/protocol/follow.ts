/** The rooms that a client is in: entered again after each login, and kept up with. */

import type { Method } from './codec'
import type { ClientEvent } from './events'
import type { Outbox } from './outbox'
import { isTemporary, retryIn } from './refusal'
import type { Outcome } from './requests'
import { Room, type RoomSink } from './room'
import type { Methods } from './spec.gen'
import type { Entry, ErrorBody, RemovedEvent, RoomState, Uint64 } from './types'

/** A room that was followed in an earlier life of the page, up to `last`. */
export interface Place {
  room: string
  with?: string
  epoch: Uint64
  last: number
}

/** What the rooms need of the client around them. */
export interface Around {
  emit(event: ClientEvent): void
  ask<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    done: (outcome: Outcome<Methods[M]['result']>) => void,
  ): void
  /** The server is in trouble: everything is tried again, from the start. */
  giveUp(error: ErrorBody): void
  /** All rooms are entered. */
  settled(): void
}

/** Pages that are fetched at once. */
const FETCHES = 4
/** Rooms that a client follows; a server that announces more is not believed. */
const ROOMS = 1_024

export class Follow {
  readonly rooms = new Map<string, Room>()
  private waiting = new Set<string>()
  /** Rooms that the client was in, and that the server did not name after the login. */
  private missing = new Set<string>()
  /** Rooms that the server named and the client does not know: one of these may be a missing one. */
  private strange = new Set<string>()
  private account = false
  private readonly places: Map<string, Place>

  constructor(
    places: Place[],
    private readonly outbox: Outbox,
    private readonly around: Around,
  ) {
    this.places = new Map(places.map((place) => [place.room, place]))
  }

  /** The name is held, and the server puts us into `theirs`. The others we enter ourselves; but an
   * `account` is at home in no others, unless it wrote to a guest there. One that got another name
   * meanwhile is among theirs, so those are waited for. */
  comeBack(theirs: string[], account: boolean): void {
    const known = new Set([...this.places.keys(), ...this.rooms.keys()])
    this.waiting = new Set(theirs.slice(0, ROOMS))
    this.missing = new Set([...known].filter((room) => !this.waiting.has(room)))
    this.strange = new Set([...this.waiting].filter((room) => !known.has(room)))
    this.account = account
    if (this.strange.size === 0) this.missed()
    this.settle()
  }

  /** Those that are still missing have no other name. */
  private missed(): void {
    const missing = [...this.missing]
    this.missing.clear()
    for (const room of missing) {
      const other = (this.rooms.get(room) ?? this.places.get(room))?.with
      if (this.account && other === undefined) this.removed({ room, reason: 'left' }, true)
      else this.enterAgain(room, other)
    }
  }

  /** The missing room that this is: its epoch tells. */
  private formerly({ room, epoch }: RoomState): string | undefined {
    if (!this.strange.delete(room)) return undefined
    return [...this.missing].find((name) => (this.rooms.get(name) ?? this.places.get(name))?.epoch === epoch)
  }

  private enterAgain(room: string, other: string | undefined): void {
    this.waiting.add(room)
    const done = (outcome: Outcome<RoomState>): void => {
      if (outcome.ok) {
        if (outcome.result.room !== room) this.rename(room, outcome.result.room)
        this.enter(outcome.result)
      } else if (outcome.failure.kind === 'refused') {
        const { error } = outcome.failure
        if (isTemporary(error)) this.around.giveUp(error)
        else this.gone(room, error)
      }
      this.settle(room)
    }
    // A direct room is opened anew: its name does not outlive the server.
    if (other !== undefined) this.around.ask('direct', { name: other }, done)
    else this.around.ask('join', { room }, done)
  }

  /** Somebody gave the room another name; its entries and their numbers stay. */
  renamed(from: string, to: string, by?: string): void {
    const [room, place] = [this.rooms.get(from), this.places.get(from)]
    if (!room && !place) return
    this.rooms.delete(from)
    this.places.delete(from)
    if (room) {
      room.name = to
      this.rooms.set(to, room)
    }
    if (place) this.places.set(to, { ...place, room: to })
    this.missing.delete(from)
    if (this.waiting.delete(from)) this.waiting.add(to)
    this.around.emit({ type: 'renamed', from, to, ...(by === undefined ? {} : { by }) })
    this.outbox.rename(from, to)
  }

  /** A direct room has another name on a server that was restarted. */
  private rename(from: string, to: string): void {
    this.rooms.delete(from)
    this.places.delete(from)
    this.around.emit({ type: 'renamed', from, to })
    this.outbox.rename(from, to)
  }

  /** One room less to wait for. */
  settle(room?: string): void {
    if (room !== undefined && !this.waiting.delete(room)) return
    if (this.waiting.size === 0) this.around.settled()
  }

  /** No room is waited for any longer. */
  settled(): void {
    this.missed()
    this.waiting.clear()
    this.strange.clear()
  }

  /** A room as the server says it is. */
  enter(state: RoomState): void {
    const former = this.formerly(state)
    if (former !== undefined) this.renamed(former, state.room)
    if (this.strange.size === 0) this.missed()
    const room = this.rooms.get(state.room)
    const place = this.places.get(state.room)
    if (!room && this.rooms.size >= ROOMS) throw new Error(`more than ${ROOMS} rooms`)
    this.places.delete(state.room)
    this.around.emit({ type: 'room', state, fresh: !room && !place })
    if (room) room.enter(state)
    else {
      // What a sink tells is told by the name that the room has then.
      let made: Room | undefined
      made = new Room(state, this.sinkOf(() => made?.name ?? state.room), place)
      this.rooms.set(state.room, made)
    }
  }

  gone(room: string, why?: ErrorBody): void {
    this.rooms.delete(room)
    this.places.delete(room)
    this.around.emit(why ? { type: 'gone', room, why } : { type: 'gone', room })
  }

  /** The account is out of the room; if `away`, nobody told so when it happened. */
  removed(event: RemovedEvent, away = false): void {
    this.rooms.delete(event.room)
    this.places.delete(event.room)
    this.around.emit({ type: 'removed', ...event, ...(away ? { away } : {}) })
  }

  /** The connection was lost. */
  lost(): void {
    for (const room of this.rooms.values()) room.lost()
  }

  /** Asks for what is missing; `clock` tells the time when the answer is there. */
  catchUp(clock: () => number): void {
    let free = FETCHES
    for (const room of this.rooms.values()) {
      const after = free > 0 ? room.wantsPage(clock()) : undefined
      if (after === undefined) continue
      free -= 1
      room.fetchStarted()
      this.around.ask('history', { room: room.name, after }, (outcome) => {
        if (outcome.ok) room.page(outcome.result)
        else if (outcome.failure.kind === 'refused')
          room.pageRefused(clock(), retryIn(outcome.failure.error))
      })
    }
  }

  /** When refused pages may be asked for again. */
  retryTimes(): (number | undefined)[] {
    return [...this.rooms.values()].map((room) => room.retryAt)
  }

  private sinkOf(nameOf: () => string): RoomSink {
    const { emit } = this.around
    return {
      entries: (entries: Entry[], head?: number) => {
        const room = nameOf()
        emit({ type: 'entries', room, entries, live: head === undefined, ...(head === undefined ? {} : { head }) })
        this.outbox.told(room, Number(entries.at(-1)!.seq))
      },
      gap: (from, to) => emit({ type: 'gap', room: nameOf(), from, to }),
      reset: (epoch, anew) => {
        const room = nameOf()
        this.outbox.reset(room, anew)
        emit({ type: 'reset', room, epoch })
      },
    }
  }
}
