/** What a person does: each asks the server, and says in words what did not work. */

import { batch } from '@preact/signals'

import type { ErrorBody, Failure, MemberInfo, Outcome, RoomInfo, RoomState } from '../protocol'
import { durationWords } from '../text/time'
import {
  also, atBottom, current, findRoom, isReading, keepSoon, markRead, notice, remove, rooms, theClient,
} from './chat'
import { loadOlder } from './history'
import { goToAdmin } from './place'
import type { RoomView } from './room'

/** What a room keeps loaded while nobody looks at it. */
const TRIMMED = 400
/** Rooms or members that are asked for in all; nobody scrolls through more. */
const LIST_MOST = 20_000
/** The server passes on one `typing` in 3 seconds. */
const TYPING_EVERY = 3_000

/** What to tell people about a failure. */
export function wordsFor(failure: Failure): string {
  if (failure.kind === 'refused') return wordsOf(failure.error)
  return failure.kind === 'lost' ? 'There is no connection right now.' : failure.why
}

export function wordsOf(error: ErrorBody): string {
  const wait = error.retry_after_ms ? ` Try again in ${durationWords(Number(error.retry_after_ms))}.` : ''
  return sentence(error.text) + wait
}

function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}

function lost<T>(): Promise<Outcome<T>> {
  return Promise.resolve({ ok: false, failure: { kind: 'lost' } })
}

/** Shows a room. */
export function open(view: RoomView): void {
  const before = current.value
  if (before === view) return
  batch(() => {
    if (before) {
      before.timeline.trim(TRIMMED)
      before.target.value = before.found.value = undefined
      before.newAfter.value = undefined
      before.show()
    }
    view.newAfter.value = view.unread.value > 0 ? view.read : undefined
    current.value = view
    atBottom.value = true
  })
  ready(view)
  keepSoon()
}

/** Loads what a room that is looked at has to show. */
function ready(view: RoomView): void {
  if (view.timeline.firstSeq === undefined) void loadOlder(view)
  markRead()
}

/** Shows a room to who comes from elsewhere: another window, or the operator's page. */
export function show(view: RoomView): void {
  goToAdmin(false)
  open(view)
}

also({ enter: ready, show })

export function say(view: RoomView, text: string, re?: number): boolean {
  const taken = theClient()?.say(view.name, text, re) ?? false
  if (!taken) notice.value = 'Too many messages are waiting for the connection.'
  if (isReading()) view.newAfter.value = undefined
  return taken
}

let typingSaid = 0
let typingIn: RoomView | undefined

/** Tells the others that somebody writes, or has stopped. */
export function typing(view: RoomView, active: boolean): void {
  const client = theClient()
  if (!client?.core.online) return
  const now = Date.now()
  if (active && typingIn === view && now - typingSaid < TYPING_EVERY) return
  if (!active && typingIn !== view) return
  typingIn = active ? view : undefined
  typingSaid = now
  void client.request('typing', { room: view.name, active })
}

/** A message ends it by itself. */
export function typingDone(): void {
  typingIn = undefined
}

export type Tried = { ok: true; view?: RoomView } | { ok: false; why: string; suggestion?: string }

function tried(outcome: Outcome<RoomState>): Tried {
  if (!outcome.ok) {
    const suggestion = outcome.failure.kind === 'refused' ? outcome.failure.error.suggestion : undefined
    return { ok: false, why: wordsFor(outcome.failure), ...(suggestion ? { suggestion } : {}) }
  }
  const view = findRoom(outcome.result.room)
  if (view) open(view)
  return view ? { ok: true, view } : { ok: true }
}

export async function join(room: string): Promise<Tried> {
  return tried(await (theClient()?.request('join', { room }) ?? lost<RoomState>()))
}

export async function create(room: string, topic: string, isPrivate = false): Promise<Tried> {
  const params = { room, ...(topic ? { topic } : {}), ...(isPrivate ? { private: true } : {}) }
  return tried(await (theClient()?.request('create', params) ?? lost<RoomState>()))
}

export async function openDirect(name: string): Promise<Tried> {
  const known = rooms.value.find((room) => room.state.value.with === name && !room.gone.value)
  if (known) {
    open(known)
    return { ok: true, view: known }
  }
  return tried(await (theClient()?.request('direct', { name }) ?? lost<RoomState>()))
}

export async function leave(view: RoomView): Promise<void> {
  if (view.gone.value || view.removed.value) return remove(view)
  const outcome = await (theClient()?.request('leave', { room: view.name }) ?? lost())
  if (!outcome.ok) notice.value = wordsFor(outcome.failure)
}

export async function setTopic(view: RoomView, topic: string): Promise<string | undefined> {
  const outcome = await (theClient()?.request('topic', { room: view.name, topic }) ?? lost())
  return outcome.ok ? undefined : wordsFor(outcome.failure)
}

/** Every room that one may join, by name. */
export async function listRooms(): Promise<RoomInfo[] | string> {
  const found: RoomInfo[] = []
  for (let after: string | undefined; ; ) {
    const outcome = await (theClient()?.request('rooms', after === undefined ? {} : { after }) ??
      lost<{ rooms: RoomInfo[]; more: boolean }>())
    if (!outcome.ok) return wordsFor(outcome.failure)
    found.push(...outcome.result.rooms.filter((room) => room.kind !== 'direct'))
    after = outcome.result.rooms.at(-1)?.room
    if (!outcome.result.more || after === undefined || found.length >= LIST_MOST) return found
  }
}

const loadingMembers = new WeakSet<RoomView>()

/** Loads all members of a room, unless they are known. */
export async function loadMembers(view: RoomView): Promise<void> {
  const client = theClient()
  if (!client?.core.online || view.membersKnown || loadingMembers.has(view)) return
  loadingMembers.add(view)
  view.membersKnown = true
  const found = new Map<string, MemberInfo>()
  for (let after: MemberInfo['id'] | undefined; ; ) {
    const params = { room: view.name, ...(after === undefined ? {} : { after }) }
    const outcome = await client.request('members', params)
    if (!outcome.ok) {
      view.membersKnown = false
      // A busy server takes it later.
      setTimeout(() => view === current.value && void loadMembers(view), 2_000)
      break
    }
    for (const member of outcome.result.members) found.set(member.name, member)
    after = outcome.result.members.at(-1)?.id
    if (!outcome.result.more || after === undefined || found.size >= LIST_MOST) {
      view.members.value = found
      break
    }
  }
  loadingMembers.delete(view)
}

