/** What an owner does to a room as a whole: how long it keeps what is said, another name, its end. */

import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'

import { notice } from '../state/chat'
import { moderate } from '../state/moderation'
import type { RoomView } from '../state/room'
import { keepOf, KEEPS, typedOf } from '../text/keep'
import { closeDialog } from './Dialogs'
import { useFocus } from './focus'
import { Form } from './Form'

interface Props {
  room: RoomView
  back: () => void
}

export function KeepForm({ room, back }: Props): VNode {
  const field = useFocus()
  const state = room.state.value
  const [typed, setTyped] = useState(() => typedOf(state))
  const wanted = keepOf(typed, state)
  return (
    <Form
      title="How much the room keeps"
      button="Save"
      ready={Object.keys(wanted).length > 0}
      act={() => moderate(room, 'configure', wanted)}
      done={back}
      back={back}
    >
      <p class="help">Where nothing stands the server decides. It never keeps more than it is set to itself.</p>
      <div class="keeps">
        {KEEPS.map(({ field: name, label }, i) => (
          <label key={name}>
            {label}
            <input
              type="number"
              inputMode="decimal"
              min="0"
              step="any"
              placeholder="–"
              value={typed[i]}
              ref={i === 0 ? field : null}
              onInput={(event) => setTyped(typed.with(i, event.currentTarget.value))}
            />
          </label>
        ))}
      </div>
      <p class="warning">What is older, or more, is removed for good, for everybody.</p>
    </Form>
  )
}

interface NameProps {
  label: ComponentChildren
  value: string
  set: (value: string) => void
}

/** The name of a room, which one begins with. */
function NameField({ label, value, set }: NameProps): VNode {
  const field = useFocus()
  return (
    <>
      <label for="name-of-room">{label}</label>
      <input
        id="name-of-room"
        value={value}
        maxLength={33}
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        ref={field}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </>
  )
}

/** As the server writes it; people may put its sign before it. */
const roomNamed = (typed: string): string => typed.trim().replace(/^#/, '').toLowerCase()

export function RenameForm({ room, back }: Props): VNode {
  const [name, setName] = useState(room.name)
  const wanted = roomNamed(name)
  return (
    <Form
      title="Another name for the room"
      button={<>Call it <bdi>#{wanted}</bdi></>}
      ready={wanted !== '' && wanted !== room.name}
      act={() => moderate(room, 'rename_room', { name: wanted })}
      done={back}
      back={back}
    >
      <NameField label="Its new name" value={name} set={setName} />
      <p class="help">Who is here stays, and so does what was said. The old name is free for others at once.</p>
    </Form>
  )
}

export function DeleteForm({ room, back }: Props): VNode {
  const [name, setName] = useState('')
  const { title } = room
  return (
    <Form
      title="Delete the room?"
      button={<>Delete <bdi>#{title.value}</bdi></>}
      danger
      ready={roomNamed(name) === room.name}
      act={() => moderate(room, 'delete_room', {})}
      done={() => {
        closeDialog()
        notice.value = `#${title.peek()} is deleted.`
      }}
      back={back}
    >
      <p>All that was said here is removed for good, for everybody. It cannot be undone.</p>
      <NameField label={<>Type <b><bdi>{title.value}</bdi></b> to delete it</>} value={name} set={setName} />
    </Form>
  )
}
