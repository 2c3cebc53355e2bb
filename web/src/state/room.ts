/** One room as the page shows it. */

import { computed, signal } from '@preact/signals'

import type { ErrorBody, MemberInfo, Outgoing, RemovedEvent, RoomState, Uint64 } from '../protocol'
import type { Item, Message } from './items'
import { Timeline } from './timeline'

/** So many members come with one page of the list. */
const ONE_PAGE = 200

/** Typing is over after so long without news. */
export const TYPING_MS = 10_000

const NO_DEEDS: Outgoing[] = []

let ids = 0

export class RoomView {
  /** Stays when the room gets another name. */
  readonly id = (ids += 1)
  readonly timeline = new Timeline()
  readonly state = signal<RoomState>(undefined as never)
  /** The timeline's items; set once for all that comes between two frames of the screen. */
  readonly items = signal<Item[]>([])
  /** How many were put in front of the others by the last change. */
  prepended = false
  readonly outgoing = signal<Outgoing[]>([])
  readonly members = signal<Map<string, MemberInfo>>(new Map())
  /** Whether `members` holds all; if not, it is asked for when somebody looks. */
  membersKnown = false
  readonly typing = signal<Map<string, number>>(new Map())
  readonly unread = signal(0)
  readonly mentions = signal(0)
  /** The seq after which the line "new" stands, while the room is looked at. */
  readonly newAfter = signal<number | undefined>(undefined)
  readonly loading = signal(false)
  /** Changes whenever the list is begun anew, as by a jump. */
  readonly turn = signal(0)
  /** The entry that is to be brought into sight, and the one that was. */
  readonly target = signal<number | undefined>(undefined)
  readonly found = signal<number | undefined>(undefined)
  /** The message that is being answered, or edited. */
  readonly answering = signal<Message | undefined>(undefined)
  readonly editing = signal<Message | undefined>(undefined)
  /** Messages that others answer, where they are not loaded; null if there is none. */
  readonly quotes = signal<ReadonlyMap<number, Message | null>>(new Map())
  /** Why the server did not let us back in. */
  readonly gone = signal<ErrorBody | undefined>(undefined)
  /** Why the account is out of the room. */
  readonly removed = signal<RemovedEvent | undefined>(undefined)
  /** Why the server took no text the last time, and until when (by this clock) that holds. */
  readonly barred = signal<{ text: string; until?: number } | undefined>(undefined)
  /** In slow mode: when the next text will be taken. */
  readonly slowUntil = signal(0)
  /** What is being written, kept while one looks at other rooms. */
  draft = ''
  /** The seq up to which all was read; and up to which the server was told so. */
  read: number
  marked = 0
  /** Counts what others have said since the page is there. */
  news = 0
  epoch: Uint64

  constructor(state: RoomState) {
    this.state.value = state
    // On another device an account may have read less than there is.
    this.read = Number(state.read ?? state.seq)
    this.epoch = state.epoch
  }

  get name(): string {
    return this.state.value.room
  }

  get direct(): boolean {
    return this.state.value.kind === 'direct'
  }

  /** What people call it. */
  readonly title = computed(() => {
    const { with: other, room } = this.state.value
    return other ?? room
  })

  /** What is being done to messages and is not told yet. */
  readonly deeds = computed(() => {
    const all = this.outgoing.value.filter((item) => item.deed && !item.refused)
    return all.length > 0 ? all : NO_DEEDS
  })

  /** Own texts that the room has told already, though they are not acknowledged. */
  private readonly echoed = new WeakSet<Outgoing>()

  /** An entry of one's own was told: the text that waits for its answer need not be shown too. */
  echo(text: string): void {
    const waiting = this.outgoing.value.find(
      (item) => item.text === text && !item.deed && !item.refused && !this.echoed.has(item),
    )
    if (!waiting) return
    this.echoed.add(waiting)
    this.outgoing.value = [...this.outgoing.value]
  }

  /** Own texts that are to be shown below the others. */
  get pending(): Outgoing[] {
    const last = this.timeline.lastSeq ?? 0
    return this.outgoing.value.filter(
      (item) => (!item.deed || item.refused) && !this.echoed.has(item) && (item.seq === undefined || item.seq > last),
    )
  }

  /** Members have come and gone; `count` is how many in truth. */
  move(joined: string[], left: string[], count: number): void {
    if (this.members.value.size === 0) return
    const members = new Map(this.members.value)
    for (const name of joined) {
      if (!members.has(name)) members.set(name, { id: 0, name, since: Date.now(), role: 'member', guest: false })
    }
    for (const name of left) members.delete(name)
    this.members.value = members
    // Who joins has a role that no event tells: where it costs one page only, it is asked for.
    const few = joined.length > 0 && members.size <= ONE_PAGE
    if (few || count > joined.length + left.length) this.membersKnown = false
  }

  /** Shows what the timeline holds now. */
  show(prepended = false): void {
    this.prepended = prepended
    this.items.value = this.timeline.items
    this.turn.value = this.timeline.turn
  }
}
