/** One room as the client follows it: which entries were told, which are missing, which wait.
 *
 * Entries are told in the order of `seq`, none twice. What is skipped is told as a gap or a reset,
 * never silently. While `last < head` the room is behind, for whatever reason; the way out is to
 * fetch pages of history after `last`, one at a time.
 */

import type { Entry, HistoryPage, RoomState, Uint64 } from './spec.gen'

/** What a room tells its reader. */
export interface RoomSink {
  /** Entries that follow those told before. Of a page, with the `head` up to which changes of its
   * messages are in them already; without it, they have just been said. */
  entries(entries: Entry[], head?: number): void
  /** The entries from `from` to `to` are gone. */
  gap(from: number, to: number): void
  /** What was told before is of no use any more: it is too far back, or the numbers have started `anew`. */
  reset(epoch: Uint64, anew: boolean): void
}

/** Live entries that are held back while their predecessors are fetched. */
const HELD = 256
/** Entries that were missed and are still fetched one by one; of more than these only the newest
 * are worth a wait, and the reader is told to begin anew. */
const CATCH_UP = 600
/** The pause after a page that the server refused. */
const RETRY = 1_000

export class Room {
  name: string
  readonly with: string | undefined
  epoch: Uint64
  /** The seq up to which everything was told. */
  last: number
  private head: number
  private held: Entry[] = []
  private fetching = false
  private fetchAt = 0

  /** A room as it is now. With a `place`, what came after that is told too. */
  constructor(
    state: RoomState,
    private readonly sink: RoomSink,
    place?: { epoch: Uint64; last: number },
  ) {
    this.name = state.room
    this.with = state.with
    this.epoch = place ? place.epoch : state.epoch
    this.last = place ? place.last : Number(state.seq)
    this.head = this.last
    if (place) this.enter(state)
  }

  get behind(): boolean {
    return this.last < this.head
  }

  /** The room was entered again; `state` says where it is now. */
  enter(state: RoomState): void {
    const seq = Number(state.seq)
    // A seq that went back is as little a continuation as another epoch.
    if (state.epoch !== this.epoch || seq < this.last || seq - this.last > CATCH_UP) {
      const anew = state.epoch !== this.epoch || seq < this.last
      this.epoch = state.epoch
      this.last = seq
      this.head = seq
      this.held = []
      this.sink.reset(this.epoch, anew)
      return
    }
    this.head = Math.max(this.head, seq)
    this.skipTo(Math.min(Number(state.first), this.head + 1))
  }

  /** The connection was lost, and with it the answer to a fetch. */
  lost(): void {
    this.fetching = false
    this.fetchAt = 0
  }

  /** A live entry has come. */
  live(entry: Entry): void {
    const seq = Number(entry.seq)
    if (seq <= this.last) return
    this.head = Math.max(this.head, seq)
    if (seq === this.last + 1) {
      this.tell([entry])
      this.drain()
      return
    }
    // Only an unbroken run is held: after a hole, a page is needed in any case.
    const newest = this.held.at(-1)
    if (this.held.length < HELD && (!newest || Number(newest.seq) + 1 === seq)) this.held.push(entry)
  }

  /** The seq after which a page is to be fetched now, if one is. */
  wantsPage(now: number): number | undefined {
    if (!this.behind || this.fetching || this.fetchAt > now) return undefined
    return this.last
  }

  /** When a refused page may be asked for again. */
  get retryAt(): number | undefined {
    return this.behind && !this.fetching ? this.fetchAt : undefined
  }

  /** A page was asked for. */
  fetchStarted(): void {
    this.fetching = true
  }

  /** The page after `last` has come. */
  page(page: HistoryPage): void {
    this.fetching = false
    if (page.epoch !== this.epoch) {
      this.epoch = page.epoch
      this.last = this.head = Number(page.head)
      this.held = []
      this.sink.reset(this.epoch, true)
      return
    }
    this.head = Math.max(this.head, Number(page.head))
    this.skipTo(Math.min(Number(page.first), this.head + 1))
    const entries = page.entries.filter((entry) => Number(entry.seq) > this.last)
    if (entries.length === 0) {
      // Asked for more and given nothing: without this the client would ask for ever.
      this.skipTo(this.held.length > 0 ? Number(this.held[0]!.seq) : this.head + 1)
    } else {
      this.skipTo(Number(entries[0]!.seq))
      this.tell(entries, Number(page.head))
    }
    this.drain()
  }

  /** The page was refused: for a while, or for good. */
  pageRefused(now: number, wait: number | undefined): void {
    this.fetching = false
    if (wait !== undefined) {
      this.fetchAt = now + Math.max(wait, RETRY)
    } else {
      this.held = []
      this.skipTo(this.head + 1)
    }
  }

  /** Tells what was held back, as far as it follows. */
  private drain(): void {
    const held = this.held.filter((entry) => Number(entry.seq) > this.last)
    if (held.length > 0 && Number(held[0]!.seq) === this.last + 1) {
      this.held = []
      this.tell(held)
    } else {
      this.held = held
    }
  }

  private tell(entries: Entry[], head?: number): void {
    this.last = Number(entries.at(-1)!.seq)
    this.head = Math.max(this.head, this.last)
    this.sink.entries(entries, head)
  }

  /** Tells that the entries between `last` and `next` are missing, if there are any. */
  private skipTo(next: number): void {
    if (next <= this.last + 1) return
    const from = this.last + 1
    this.last = next - 1
    this.sink.gap(from, this.last)
  }
}
