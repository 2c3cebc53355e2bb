/** What an edit, a deletion or a reaction makes of its message. */

import type { Entry } from '../protocol'
import type { Message, Reacted } from './items'

/** Names that are kept with a reaction, as the server does. */
const NAMED = 10

export const isChange = ({ kind }: Entry): boolean =>
  kind === 'edit' || kind === 'delete' || kind === 'react' || kind === 'unreact'

/** The message after a change; the same one if the change is in it already. */
export function changed(message: Message, entry: Entry, me: string | undefined): Message {
  const seq = Number(entry.seq)
  if (seq <= message.asOf || Number(entry.re) !== message.seq) return message
  const now = { ...message, asOf: seq }
  switch (entry.kind) {
    case 'edit':
      return { ...now, text: entry.text, edited: Number(entry.time) }
    case 'delete':
      return { ...now, text: '', deleted: Number(entry.time), reactions: [] }
    case 'react':
      return { ...now, reactions: added(message.reactions, entry.text, entry.from, me) }
    case 'unreact':
      return { ...now, reactions: withdrawn(message.reactions, entry.text, entry.from, me) }
    default:
      return message
  }
}

export function added(all: Reacted[], text: string, from: string, me: string | undefined): Reacted[] {
  const known = all.find((one) => one.text === text)
  if (!known) return [...all, { text, count: 1, names: [from], mine: from === me }]
  if (known.names.includes(from)) return all
  const names = known.names.length < NAMED ? [...known.names, from] : known.names
  const more = { ...known, count: known.count + 1, names, ...(from === me ? { mine: true } : {}) }
  return all.map((one) => (one === known ? more : one))
}

export function withdrawn(all: Reacted[], text: string, from: string, me: string | undefined): Reacted[] {
  const known = all.find((one) => one.text === text)
  if (!known) return all
  const names = known.names.filter((name) => name !== from)
  const less = { ...known, count: known.count - 1, names, ...(from === me ? { mine: false } : {}) }
  return less.count > 0 ? all.map((one) => (one === known ? less : one)) : all.filter((one) => one !== known)
}
