/** What can be done with a message, where there is more space: all of it, the emoji, the question whether
 * it is really to be deleted.
 */

import type { VNode } from 'preact'

import type { Message } from '../state/items'
import { beginAnswer, beginEdit, mayDelete, mayEdit, react, remove, subject } from '../state/messages'
import type { RoomView } from '../state/room'
import { moderates } from '../state/moderation'
import { canBlock } from '../state/blocks'
import { me } from '../state/chat'
import { insert } from './composing'
import { closeDialog, Dialog, dialog, target } from './Dialogs'
import { Picker, recentEmoji } from './EmojiPicker'
import { useFocus } from './focus'
import { Icon, icons } from './Icon'
import { Name } from './Avatar'
import { Preview } from './MessageRow'

/** So many emoji are offered at once. */
const QUICK = 6

/** The message as it is now. */
function theSubject(): { room: RoomView; message: Message } | undefined {
  const about = subject.value
  if (!about) return undefined
  const { room, message } = about
  void room.items.value
  return { room, message: room.timeline.message(message.seq) ?? message }
}

function About({ message }: { message: Message }): VNode {
  return <p class="about"><Name name={message.from} /> <Preview message={message} /></p>
}

export function MessageMenu(): VNode | null {
  const about = theSubject()
  if (!about) return null
  const { room, message } = about
  const then = (act: () => void) => (): void => {
    closeDialog()
    act()
  }
  const quote = (): void => insert(`${message.text.split('\n').map((line) => `> ${line}`).join('\n')}\n\n`)
  return (
    <Dialog title="Message" kind="menu">
      <About message={message} />
      <div class="quick" role="group" aria-label="React">
        {recentEmoji().slice(0, QUICK).map((char) => (
          <button key={char} type="button" aria-label={`React with ${char}`} onClick={then(() => react(room, message, char))}>
            {char}
          </button>
        ))}
        <button type="button" class="icon" aria-label="React with another emoji" onClick={() => (dialog.value = 'react')}>
          <Icon node={icons.SmilePlus} />
        </button>
      </div>
      <div class="menu-items">
        <Choice icon={icons.Reply} label="Answer" keys="R" act={then(() => beginAnswer(room, message))} />
        {mayEdit(message) && <Choice icon={icons.Pencil} label="Edit" keys="E" act={then(() => beginEdit(room, message))} />}
        <Choice icon={icons.Copy} label="Copy the text" keys="C" act={then(() => void navigator.clipboard.writeText(message.text))} />
        <Choice icon={icons.Quote} label="Quote" act={then(quote)} />
        {message.from !== me.value && (
          <Choice icon={icons.AtSign} label={`Mention ${message.from}`} act={then(() => insert(`@${message.from} `))} />
        )}
        {message.from !== me.value && (moderates(room) || canBlock()) && (
          <Choice
            icon={moderates(room) ? icons.SlidersHorizontal : icons.Ban}
            label={moderates(room) ? `Mute, put out, ban ${message.from}…` : `Block ${message.from}…`}
            act={() => {
              target.value = message.from
              dialog.value = 'member'
            }}
          />
        )}
        {mayDelete(room, message) && (
          <Choice icon={icons.Trash2} label="Delete…" keys="Delete" danger act={() => (dialog.value = 'delete-message')} />
        )}
      </div>
    </Dialog>
  )
}

interface ChoiceProps {
  icon: (typeof icons)['Reply']
  label: string
  keys?: string
  danger?: boolean
  act: () => void
}

function Choice({ icon, label, keys, danger = false, act }: ChoiceProps): VNode {
  return (
    <button type="button" class={danger ? 'danger' : ''} onClick={act}>
      <Icon node={icon} />
      <bdi>{label}</bdi>
      {keys && <kbd aria-hidden="true">{keys}</kbd>}
    </button>
  )
}

export function ReactDialog(): VNode | null {
  const about = theSubject()
  if (!about) return null
  return (
    <Dialog title="React" kind="tall">
      <About message={about.message} />
      <Picker
        pick={(char) => {
          closeDialog()
          react(about.room, about.message, char)
        }}
      />
    </Dialog>
  )
}

export function DeleteMessage(): VNode | null {
  const keep = useFocus<HTMLButtonElement>()
  const about = theSubject()
  if (!about) return null
  const { room, message } = about
  return (
    <Dialog title="Delete this message?">
      <About message={message} />
      <p>Its text and its reactions are removed for good, for everybody. Its place stays.</p>
      <div class="buttons">
        <button type="button" class="quiet" ref={keep} onClick={closeDialog}>Keep it</button>
        <button
          type="button"
          class="primary danger"
          onClick={() => {
            closeDialog()
            remove(room, message.seq)
          }}
        >
          Delete
        </button>
      </div>
    </Dialog>
  )
}
