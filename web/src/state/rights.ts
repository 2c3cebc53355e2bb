/** What a room is told about its rights: how it was set, who got which role, who was put out. */

import type { Gone, Volatile } from '../protocol'
import { keepWords } from '../text/keep'
import { durationWords } from '../text/time'
import type { RoomView } from './room'

type Told = Extract<Volatile, { name: 'configured' | 'ranked' }>

export const ROLE_WORDS: Record<string, string> = { member: 'a member', moderator: 'a moderator', owner: 'an owner' }

/** Takes it over, and leaves a line about it. */
export function applyRights(view: RoomView, event: Told, me: string | undefined): void {
  const before = view.state.value
  const now = Date.now()
  if (event.name === 'ranked') {
    const { name, role, by } = event.payload
    if (name === me) view.state.value = { ...before, role }
    const known = view.members.value.get(name)
    if (known) view.members.value = new Map(view.members.value).set(name, { ...known, role })
    if (role !== 'member') view.barred.value = undefined
    view.timeline.note(now, { by, what: 'made', whom: name, then: ROLE_WORDS[role] ?? role })
    return
  }
  const { kind, announcement, slow_ms, keep_ms, keep_entries, keep_bytes, by } = event.payload
  view.state.value = { ...before, kind, announcement, slow_ms, keep_ms, keep_entries, keep_bytes }
  const kept = keepWords(event.payload)
  if (slow_ms === 0) view.slowUntil.value = 0
  const changes = [
    kind !== before.kind && (kind === 'private' ? 'made the room private' : 'made the room public'),
    announcement !== before.announcement &&
      (announcement ? 'let only moderators write' : 'let everybody write again'),
    slow_ms !== before.slow_ms &&
      (slow_ms > 0 ? `set slow mode: ${durationWords(slow_ms)} between two messages` : 'ended slow mode'),
    kept !== keepWords(before) &&
      `set what the room keeps: ${kept === undefined ? 'what the server does' : `messages ${kept}`}`,
  ].filter((change) => change !== false)
  for (const what of changes) view.timeline.note(now, { by, what })
}

/** Who did not leave of their own will gets a line of their own. Gives those who did. */
export function noteRemoved(view: RoomView, gone: Gone[]): string[] {
  const now = Date.now()
  for (const { name, reason } of gone) {
    if (reason === 'kicked') view.timeline.note(now, { by: name, what: 'was put out of the room' })
    if (reason === 'banned') view.timeline.note(now, { by: name, what: 'was put out of the room, and may not come back' })
  }
  return gone.filter(({ reason }) => reason !== 'kicked' && reason !== 'banned').map(({ name }) => name)
}
