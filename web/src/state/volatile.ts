/** What passes and is in no history: who writes, who comes and goes, who may do what. */

import type { Volatile } from '../protocol'
import { applyRights, noteRemoved } from './rights'
import { TYPING_MS, type RoomView } from './room'
import { showSoon } from './show'

type Told = Exclude<Volatile, { name: 'read' }>

/** Takes it over. */
export function volatile(view: RoomView, event: Told, me: string | undefined): void {
  if (event.name === 'typing') {
    const { from, active } = event.payload
    if (from === me) return
    const typing = new Map(view.typing.value)
    if (active) typing.set(from, Date.now() + TYPING_MS)
    else typing.delete(from)
    view.typing.value = typing
    return
  }
  if (event.name === 'configured' || event.name === 'ranked') {
    applyRights(view, event, me)
    return showSoon(view)
  }
  const { count, members } = event.payload
  view.state.value = { ...view.state.value, members }
  const joined = event.name === 'joined' ? event.payload.names.filter((name) => name !== me) : []
  const left = event.name === 'left' ? event.payload.gone.map((gone) => gone.name) : []
  view.move(joined, left, count)
  const gone = event.name === 'left' ? noteRemoved(view, event.payload.gone) : []
  const named = event.name === 'joined' ? event.payload.names.length : left.length
  showSoon(view)
  if (joined.length + gone.length === 0) return
  view.timeline.presence(joined, gone, count - named, Date.now())
}
