/** The line above the place to write: whom one answers, or that something is being edited. */

import type { VNode } from 'preact'

import type { RoomView } from '../state/room'
import { Name } from './Avatar'
import { Icon, icons } from './Icon'
import { Preview } from './MessageRow'

export function ComposerMode({ room, cancel }: { room: RoomView; cancel: () => void }): VNode | null {
  const [editing, answering] = [room.editing.value, room.answering.value]
  const message = editing ?? answering
  if (!message) return null
  return (
    <div class="mode" role="status">
      <Icon node={editing ? icons.Pencil : icons.Reply} />
      <span class="mode-text">
        {editing ? 'Editing what you said' : <>Answering <Name name={message.from} /></>}
        {!editing && <> <Preview message={message} /></>}
      </span>
      <button type="button" class="icon small" aria-label={editing ? 'Stop editing' : 'Stop answering'} title="Esc" onClick={cancel}>
        <Icon node={icons.X} />
      </button>
    </div>
  )
}
