/** Keys that work wherever one is. */

import { open } from '../state/actions'
import { current, rooms } from '../state/chat'
import type { RoomView } from '../state/room'
import { drawer } from './App'
import { focusComposer } from './composing'
import { dialog } from './Dialogs'

export const SHORTCUTS: [string, string][] = [
  ['Ctrl K', 'Go to a room or a person'],
  ['Ctrl Shift F', 'Search what was said'],
  ['Alt ↑ ↓', 'The room above or below'],
  ['Alt Shift ↑ ↓', 'The next with something new'],
  ['↑', 'In an empty field: edit what you said last'],
  ['Ctrl ↑', 'To the messages; there ↑ ↓ go on'],
  ['R E + C', 'There: answer, edit, react, copy'],
  ['Enter Delete', 'There: all of it, delete'],
  ['@ :', 'Complete a name, an emoji'],
  ['Shift Enter', 'A new line'],
  ['Esc', 'Close, or back to writing'],
  ['Ctrl /', 'These keys'],
]

export function onShortcut(event: KeyboardEvent): void {
  const command = event.ctrlKey || event.metaKey
  if (command && event.key.toLowerCase() === 'k') {
    event.preventDefault()
    dialog.value = dialog.value === 'switcher' ? undefined : 'switcher'
  } else if (command && event.shiftKey && event.key.toLowerCase() === 'f') {
    event.preventDefault()
    dialog.value = 'search'
  } else if (command && event.key === '/') {
    event.preventDefault()
    dialog.value = 'keys'
  } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    event.preventDefault()
    step(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey)
  } else if (event.key === 'Escape' && !event.defaultPrevented && !dialog.value) {
    drawer.value = undefined
    focusComposer()
  }
}

/** To the next room of the sidebar, or the next that has something new. */
function step(by: number, onlyNew: boolean): void {
  const order = (room: RoomView): string => `${room.direct ? 1 : 0} ${room.title.value}`
  const all = [...rooms.value].sort((a, b) => order(a).localeCompare(order(b)))
  const here = all.findIndex((room) => room === current.value)
  for (let i = 1; i <= all.length; i++) {
    const room = all[(here + by * i + all.length * i) % all.length]!
    if (!onlyNew || room.unread.value > 0) return open(room)
  }
}
