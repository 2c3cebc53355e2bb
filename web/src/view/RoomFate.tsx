/** What an owner does to a room as a whole: how long it keeps what is said, another name, its end. */

import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'

import { notice } from '../state/chat'
import { moderate } from '../state/moderation'
import type { RoomView } from '../state/room'
import { keepOf, KEEPS, typedOf } from '../text/keep'
import { closeDialog } from './Dialogs'
import { useFocus } from './focus'

interface Props {
  room: RoomView
  back: () => void
}

interface FormProps {
  title: string
  button: ComponentChildren
  danger?: boolean
  ready: boolean
  /** Undefined, or why it was not done. */
  act: () => Promise<string | undefined>
  done: () => void
  back: () => void
  children: ComponentChildren
}

function Form({ title, button, danger = false, ready, act, done, back, children }: FormProps): VNode {
  const [why, setWhy] = useState<string>()
  const [busy, setBusy] = useState(false)
  const go = async (): Promise<void> => {
    setBusy(true)
    const problem = await act()
    setBusy(false)
    setWhy(problem)
    if (problem === undefined) done()
  }
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) void go()
      }}
    >
      <h3>{title}</h3>
      {children}
      {why && <p class="problem" role="alert">{why}</p>}
      <div class="buttons">
        <button type="button" class="quiet" onClick={back}>Back</button>
        <button type="submit" class={`primary ${danger ? 'danger' : ''}`} disabled={busy || !ready}>{button}</button>
      </div>
    </form>
  )
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

export function RenameForm({ room, back }: Props): VNode {
  const field = useFocus()
  const [name, setName] = useState(room.name)
  const wanted = name.trim().replace(/^#/, '').toLowerCase()
  return (
    <Form
      title="Another name for the room"
      button={<>Call it <bdi>#{wanted}</bdi></>}
      ready={wanted !== '' && wanted !== room.name}
      act={() => moderate(room, 'rename_room', { name: wanted })}
      done={back}
      back={back}
    >
      <label for="room-name-new">Its new name</label>
      <input
        id="room-name-new"
        value={name}
        maxLength={32}
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        ref={field}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <p class="help">Who is here stays, and so does what was said. The old name is free for others at once.</p>
    </Form>
  )
}

export function DeleteForm({ room, back }: Props): VNode {
  const field = useFocus()
  const [name, setName] = useState('')
  const { title } = room
  return (
    <Form
      title="Delete the room?"
      button={<>Delete <bdi>#{title.value}</bdi></>}
      danger
      ready={name.trim().replace(/^#/, '').toLowerCase() === room.name}
      act={() => moderate(room, 'delete_room', {})}
      done={() => {
        closeDialog()
        notice.value = `#${title.peek()} is deleted.`
      }}
      back={back}
    >
      <p>All that was said here is removed for good, for everybody. It cannot be undone.</p>
      <label for="room-name-again">Type <b><bdi>{title.value}</bdi></b> to delete it</label>
      <input
        id="room-name-again"
        value={name}
        maxLength={33}
        autocapitalize="none"
        autocomplete="off"
        spellcheck={false}
        ref={field}
        onInput={(event) => setName(event.currentTarget.value)}
      />
    </Form>
  )
}
