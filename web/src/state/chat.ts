/** The page's whole state: what the protocol client tells becomes signals that the views show. */

import { batch, computed, signal } from '@preact/signals'

import {
  Client,
  urlOf,
  type ClientEvent,
  type Entry,
  type ErrorBody,
  type Identity,
  type InvitedEvent,
  type Link,
  type Outgoing,
  type Place,
  type RoomState,
  type Uint64,
  type Welcome,
  type Why,
} from '../protocol'
import { mentions } from '../text/names'
import { notify } from './notify'
import { RoomView } from './room'
import { showSoon } from './show'
import { fromSnapshot, keepSnapshot, placesOf } from './snapshot'
import { dropSnapshot, loadIdentity, loadSnapshot, outboxOf, save, saveIdentity } from './stored'
import { volatile } from './volatile'

export const link = signal<Link>({ phase: 'offline' })
/** The name that is held, or was held when the page was last seen. */
export const me = signal<string | undefined>(undefined)
/** Whether the name is that of an account. */
export const account = signal(false)
export const admin = signal(false)
export const welcome = signal<Welcome | undefined>(undefined)
/** Why nobody is logged in; undefined if nobody has tried. */
export const refusal = signal<Why | undefined>(undefined)
export const rooms = signal<RoomView[]>([])
export const current = signal<RoomView | undefined>(undefined)
/** Whether the newest message of the current room is in sight. */
export const atBottom = signal(true)
/** What a screen reader says. */
export const announcement = signal('')
/** A short word to the person, about something that did not work. */
export const notice = signal<string | undefined>(undefined)
/** Private rooms that somebody asks us into. */
export const invitations = signal<InvitedEvent[]>([])
/** Methods that the server is known to lack. */
const unsupported = signal<ReadonlySet<string>>(new Set())

export const unreadRooms = computed(() => rooms.value.filter((room) => room.unread.value > 0).length)
export const urgent = computed(() =>
  rooms.value.reduce((sum, room) => sum + (room.direct ? room.unread.value : room.mentions.value), 0),
)
export const online = computed(() => link.value.phase === 'online')

let client: Client | undefined
/** The room that one begins in. */
let first: string | undefined

export const theClient = (): Client | undefined => client
export const supports = (method: string): boolean => !unsupported.value.has(method)
export const findRoom = (name: string): RoomView | undefined =>
  rooms.value.find((room) => room.name === name)

/** Goes on as whoever was here before; false if nobody was. */
export async function resume(): Promise<boolean> {
  const identity = loadIdentity()
  if (!identity) return false
  const snapshot = await loadSnapshot(identity.name)
  batch(() => {
    me.value = identity.name
    account.value = identity.account ?? false
    rooms.value = snapshot ? fromSnapshot(snapshot) : []
    const last = rooms.value.find((room) => room.name === snapshot?.current)
    current.value = last ?? rooms.value[0]
  })
  begin(identity, placesOf(rooms.value))
  return true
}

/** Comes in: as a guest, with a password, or with a new account. */
export function admit(identity: Identity): void {
  refusal.value = undefined
  begin(identity, [])
}

/** Takes the name back from another tab. */
export function takeOver(): void {
  const identity = loadIdentity()
  if (identity) begin(identity, placesOf(rooms.value))
}

/** Logs out, with `all` on every device, and forgets everything of this account. */
export function signOut(all = false): void {
  const name = me.value
  client?.logout(all)
  // The farewell is not waited for: without a connection there is none.
  const old = client
  setTimeout(() => old?.stop(), 1_000)
  client = undefined
  forgetAll(name)
}

/** Nothing of what was said stays in this browser. */
export function forgetAll(name: string | undefined): void {
  forget()
  if (name) void dropSnapshot(name)
}

function forget(): void {
  saveIdentity(undefined)
  batch(() => {
    me.value = undefined
    rooms.value = []
    current.value = undefined
    account.value = admin.value = false
    invitations.value = []
    link.value = { phase: 'offline' }
  })
}

function begin(identity: Identity, places: Place[]): void {
  client?.stop()
  const started: Client = new Client({
    url: urlOf(location),
    identity,
    program: `klatch-web ${__VERSION__}`,
    places,
    outbox: outboxOf(identity.name),
    emit: (event) => {
      if (started === client || client === undefined) batch(() => take(event))
    },
  })
  client = started
  for (const view of rooms.value) {
    view.outgoing.value = started.core.outbox.items.filter((item) => item.room === view.name)
  }
  started.start()
}

function take(event: ClientEvent): void {
  switch (event.type) {
    case 'link':
      return linked(event.link)
    case 'named':
      me.value = event.login.name
      welcome.value = event.welcome
      refusal.value = undefined
      account.value = !event.login.guest
      admin.value = event.login.admin
      first = event.login.rooms[0]
      save('last-name', event.login.name)
      return saveIdentity({ name: event.login.name, token: event.login.token, account: account.value })
    case 'room':
      return entered(event.state, event.fresh)
    case 'entries':
      return inRoom(event.room, (view) => told(view, event.entries, event.head))
    case 'gap':
      return inRoom(event.room, (view) => {
        view.timeline.gap(event.from, event.to, Date.now())
        showSoon(view)
      })
    case 'reset':
      return inRoom(event.room, (view) => reset(view, event.epoch))
    case 'gone':
      return inRoom(event.room, (view) => {
        if (event.why) view.gone.value = event.why
        else remove(view)
      })
    case 'removed':
      return inRoom(event.room, (view) => others.removed(view, event))
    case 'invited': {
      const others = invitations.value.filter((invited) => invited.room !== event.room)
      invitations.value = [...others, { room: event.room, by: event.by }]
      return
    }
    case 'refused':
      return inRoom(event.room, (view) => barred(view, event.error, event.item))
    case 'renamed':
      return inRoom(event.from, (view) => others.renamed(view, event))
    case 'outbox':
      return inRoom(event.room, (view) => (view.outgoing.value = event.items))
    case 'unsupported':
      unsupported.value = new Set([...unsupported.value, event.method])
      return
    case 'wire':
      return inRoom(event.payload.room, (view) =>
        event.name === 'read' ? others.readElsewhere(view, Number(event.payload.seq)) : volatile(view, event, me.value))
  }
}

function inRoom(name: string, then: (view: RoomView) => void): void {
  const view = findRoom(name)
  if (view) then(view)
}

function linked(now: Link): void {
  link.value = now
  if (now.phase === 'online' && !current.value && rooms.value[0]) {
    current.value = rooms.value[0]
    others.enter(current.value)
  }
  if (now.phase === 'waiting' || now.phase === 'ended') {
    for (const view of rooms.value) view.typing.value = new Map()
  }
  if (now.phase !== 'ended') return
  const { why } = now
  const replaced = why.kind === 'bye' && why.bye.name === 'replaced'
  if (replaced) return
  if (why.kind === 'bye' && why.bye.code === 0) return
  refusal.value = why
  // Who may not have this name any more must choose again; a device that was logged out from
  // elsewhere may be in the wrong hands.
  const revoked = why.kind === 'bye' && why.bye.name === 'revoked'
  if ((why.kind === 'refused' && me.value !== undefined) || revoked) {
    if (account.value) forgetAll(me.value)
    else forget()
  }
}

/** The server takes no text of ours there. */
function barred(view: RoomView, error: ErrorBody, item: Outgoing): void {
  // A text waits to be sent again; of the rest only a sentence is worth keeping.
  if (item.refused && item.deed && item.deed !== 'edit') {
    client?.core.outbox.discard(item)
    notice.value = error.text.charAt(0).toUpperCase() + error.text.slice(1)
    return
  }
  if (item.deed) return
  const wait = error.retry_after_ms === undefined ? undefined : Number(error.retry_after_ms)
  if (error.limit === 'slow_ms') view.slowUntil.value = Date.now() + (wait ?? 0)
  if (error.name !== 'denied') return
  const until = wait === undefined ? {} : { until: Date.now() + wait }
  view.barred.value = { text: error.text, ...until }
  keepSoon()
}

function entered(state: RoomState, fresh: boolean): void {
  let view = findRoom(state.room)
  if (!view) {
    view = new RoomView(state)
    view.timeline.me = me.value
    rooms.value = [...rooms.value, view]
  } else {
    view.state.value = state
    if (fresh && view.epoch !== state.epoch) reset(view, state.epoch)
  }
  view.gone.value = view.removed.value = undefined
  invitations.value = invitations.value.filter((invited) => invited.room !== state.room)
  if (state.read !== undefined) {
    view.marked = Number(state.read)
    view.read = Math.max(view.read, view.marked)
  }
  view.membersKnown = false
  view.typing.value = new Map()
  // Whoever comes on a new device begins in the first of their rooms, whichever is entered first.
  if (!current.value && (first === undefined || first === view.name)) current.value = view
  if (current.value === view) others.enter(view)
  keepSoon()
}

/** What those do who need this file: set by them. */
const others = {
  /** Loads what an open room has to show. */
  enter: (_: RoomView): void => {},
  /** Leads to a room, from wherever one is. */
  show: (_: RoomView): void => {},
  /** Keeps quotes up to date. */
  told: (_: RoomView, __: Entry[]): void => {},
  /** Notes how far was read, here and on other devices. */
  read: (_: RoomView): void => {},
  readElsewhere: (_: RoomView, __: number): void => {},
  /** Messages come that were missed; true if the server counts them. */
  missed: (): boolean => false,
  /** A room has another name, or is ours no more. */
  renamed: (_: RoomView, __: Extract<ClientEvent, { type: 'renamed' }>): void => {},
  removed: (_: RoomView, __: Extract<ClientEvent, { type: 'removed' }>): void => {},
}
export function also(more: Partial<typeof others>): void {
  Object.assign(others, more)
}

function told(view: RoomView, entries: Entry[], head: number | undefined): void {
  const live = head === undefined
  view.timeline.append(entries, head)
  others.told(view, entries)
  const typing = new Map(view.typing.value)
  for (const entry of entries) {
    typing.delete(entry.from)
    if (live && entry.kind === 'react') reacted(view, entry)
    if (entry.kind === 'topic') view.state.value = { ...view.state.value, topic: entry.text }
    else if (entry.kind !== 'message') continue
    else if (entry.from === me.value) ownWord(view, entry, live)
    else news(view, entry, live)
  }
  if (typing.size !== view.typing.value.size) view.typing.value = typing
  view.state.value = { ...view.state.value, seq: entries.at(-1)!.seq }
  showSoon(view)
  markRead()
  keepSoon()
}

/** Who hears the page is told of a reaction to what they said. */
function reacted(view: RoomView, { from, re, text }: Entry): void {
  const own = view === current.value && from !== me.value && view.timeline.message(Number(re))?.from === me.value
  if (own) announcement.value = `${from} reacted with ${text}`
}

function ownWord(view: RoomView, entry: Entry, live: boolean): void {
  view.echo(entry.text)
  view.barred.value = undefined
  const { slow_ms, role } = view.state.value
  if (live && slow_ms > 0 && role === 'member') view.slowUntil.value = Date.now() + slow_ms
}

function news(view: RoomView, entry: Entry, live: boolean): void {
  const named = view.direct || mentions(entry.text, me.value ?? '')
  const answered = entry.re === undefined ? undefined : view.timeline.message(Number(entry.re))
  const forMe = named || (answered !== undefined && answered.from === me.value)
  view.news += 1
  if (live || !others.missed()) {
    view.unread.value += 1
    if (named) view.mentions.value += 1
  }
  if (view === current.value) {
    view.newAfter.value ??= isReading() ? undefined : Number(entry.seq) - 1
    if (live) announcement.value = `${entry.from}: ${entry.text.slice(0, 300)}`
  }
  if (live && forMe) {
    const title = view.direct ? entry.from : `${entry.from} in #${view.name}`
    notify({ room: view.name, title, text: entry.text }, () => others.show(view))
  }
}

function reset(view: RoomView, epoch: Uint64): void {
  const seq = Number(view.state.value.seq)
  if (epoch !== view.epoch) view.read = Number(view.state.value.read ?? 0)
  view.epoch = epoch
  view.timeline.clear()
  view.quotes.value = new Map()
  view.answering.value = view.editing.value = view.target.value = undefined
  view.unread.value = Math.max(0, seq - view.read)
  view.newAfter.value = undefined
  view.show()
  if (view === current.value) others.enter(view)
}

export function remove(view: RoomView): void {
  rooms.value = rooms.value.filter((other) => other !== view)
  if (current.value === view) {
    current.value = rooms.value[0]
    if (current.value) others.enter(current.value)
  }
  keepSoon()
}

/** Whether somebody sees the newest message of the current room. */
export const isReading = (): boolean =>
  atBottom.value && !current.value?.timeline.away && !document.hidden && document.hasFocus()

/** What is in sight has been read. */
export function markRead(): void {
  const view = current.value
  if (!view || !isReading() || view.gone.value || view.removed.value) return
  view.read = Number(view.state.value.seq)
  others.read(view)
  if (view.unread.value > 0) view.unread.value = 0
  if (view.mentions.value > 0) view.mentions.value = 0
  keepSoon()
}

let keeping: ReturnType<typeof setTimeout> | undefined

/** Stores the rooms, soon and once. */
export function keepSoon(): void {
  keeping ??= setTimeout(keepNow, 300)
}

export function keepNow(): void {
  clearTimeout(keeping)
  keeping = undefined
  if (me.value) void keepSnapshot(me.value, current.value?.name, rooms.value)
}
