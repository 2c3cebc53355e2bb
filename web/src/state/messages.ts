/** What is done to messages: answering, editing, deleting, reacting; and going to one. */

import { batch, signal } from '@preact/signals'

import type { Entry } from '../protocol'
import { open } from './actions'
import { added, changed, isChange, withdrawn } from './change'
import { also, findRoom, me, notice, theClient } from './chat'
import { showMessage } from './history'
import { itemsOf, type Message, type Reacted } from './items'
import { moderates } from './moderation'
import { askPatiently } from './patience'
import type { RoomView } from './room'

/** The message that a dialog is about. */
export const subject = signal<{ room: RoomView; message: Message } | undefined>(undefined)

export const mayEdit = (message: Message): boolean => message.from === me.value

export const mayDelete = (room: RoomView, message: Message): boolean => mayEdit(message) || moderates(room)

function send(room: RoomView, deed: 'edit' | 'delete' | 'react' | 'unreact', seq: number, text?: string): boolean {
  const taken = theClient()?.change(room.name, deed, seq, text) ?? false
  if (!taken) notice.value = 'Too many messages are waiting for the connection.'
  return taken
}

export function beginAnswer(room: RoomView, message: Message): void {
  batch(() => {
    room.editing.value = undefined
    room.answering.value = message
  })
}

export function beginEdit(room: RoomView, message: Message): void {
  batch(() => {
    room.answering.value = undefined
    room.editing.value = message
  })
}

/** The newest message of one's own that can be edited. */
export function lastOwn(room: RoomView): Message | undefined {
  const found = room.timeline.newest.findLast(
    (item) => item.kind === 'message' && item.from === me.value && item.deleted === undefined,
  )
  return found?.kind === 'message' ? found : undefined
}

export const edit = (room: RoomView, seq: number, text: string): boolean => send(room, 'edit', seq, text)

export const remove = (room: RoomView, seq: number): boolean => send(room, 'delete', seq)

/** Adds one's own reaction, or takes it back. */
export function react(room: RoomView, message: Message, text: string): void {
  const known = shownReactions(room, message).find((one) => one.text === text)
  if (known && known.mine === undefined) void find(room, message.seq, text)
  else send(room, known?.mine ? 'unreact' : 'react', message.seq, text)
}

/** Where too many reacted to know whether one did oneself, the server tells: then it is taken back. */
async function find(room: RoomView, seq: number, reaction: string): Promise<void> {
  const outcome = await theClient()?.request('react', { room: room.name, seq, reaction, on: true })
  if (outcome?.ok && outcome.result.dup) send(room, 'unreact', seq, reaction)
}

/** The reactions to a message, with what is under way. */
export function shownReactions(room: RoomView, message: Message): Reacted[] {
  const own = me.value ?? ''
  return room.deeds.value.reduce((all, { deed, re, text }) => {
    if (re !== message.seq || (deed !== 'react' && deed !== 'unreact')) return all
    const mine = all.find((one) => one.text === text)?.mine ?? false
    if (mine === (deed === 'react')) return all
    return deed === 'react' ? added(all, text, own, own) : withdrawn(all, text, own, own)
  }, message.reactions)
}

/** The message as it will be when what is under way is done. */
export function shownMessage(room: RoomView, message: Message): Message & { unsaved?: boolean } {
  const own = room.deeds.value.findLast(
    ({ deed, re }) => re === message.seq && (deed === 'edit' || deed === 'delete'),
  )
  if (!own || message.deleted !== undefined) return message
  if (own.deed === 'delete') return { ...message, text: '', deleted: own.time, reactions: [], unsaved: true }
  return own.text === message.text ? message : { ...message, text: own.text, edited: own.time, unsaved: true }
}

/** The message that another answers: undefined while it is not known, null if there is none. */
export function quoted(room: RoomView, seq: number): Message | null | undefined {
  return room.timeline.message(seq) ?? room.quotes.value.get(seq)
}

const asked = new WeakMap<RoomView, Set<number>>()

/** Asks for a message that is answered and not loaded. */
export async function loadQuote(room: RoomView, seq: number): Promise<void> {
  const open = asked.get(room) ?? new Set()
  asked.set(room, open)
  if (open.has(seq) || quoted(room, seq) !== undefined || !theClient()?.core.online) return
  open.add(seq)
  const outcome = await askPatiently('history', { room: room.name, around: seq, limit: 1 })
  open.delete(seq)
  if (!outcome.ok) return
  const { entries, head } = outcome.result
  const found = itemsOf(entries, me.value, Number(head)).find((item) => item.seq === seq)
  room.quotes.value = new Map(room.quotes.value).set(seq, found?.kind === 'message' ? found : null)
}

/** Keeps what was quoted as it is now. */
function changeQuotes(room: RoomView, entries: Entry[]): void {
  for (const entry of entries) {
    const known = isChange(entry) ? room.quotes.value.get(Number(entry.re)) : undefined
    if (!known) continue
    room.quotes.value = new Map(room.quotes.value).set(known.seq, changed(known, entry, me.value))
  }
}

also({ told: changeQuotes })

/** Goes to a message of a room that one is in. */
export async function goTo(name: string, seq: number): Promise<void> {
  const room = findRoom(name)
  if (!room) return
  open(room)
  const why = await showMessage(room, seq)
  if (why !== undefined) notice.value = why
}
