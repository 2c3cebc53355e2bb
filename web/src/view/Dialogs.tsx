/** What opens above the page. One at a time; Escape and a click beside it close it. */

import { signal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

import { leave, openDirect } from '../state/actions'
import { current } from '../state/chat'
import { typed } from '../state/search'
import { ChangePassword, DeleteAccount, Devices } from './Account'
import { Browse } from './Browse'
import { useFocus } from './focus'
import { Form } from './Form'
import { Icon, icons } from './Icon'
import { Later } from './Later'
import { MemberDialog } from './MemberDialog'
import { DeleteMessage, MessageMenu, ReactDialog } from './MessageDialogs'
import { Settings } from './Settings'
import { SHORTCUTS } from './shortcuts'
import { Switcher } from './Switcher'

export type DialogName =
  | 'switcher' | 'browse' | 'direct' | 'settings' | 'leave' | 'keys'
  | 'password' | 'devices' | 'delete' | 'room' | 'member' | 'message' | 'react' | 'delete-message'
  | 'search' | 'blocks'

export const dialog = signal<DialogName | undefined>(undefined)
/** Whom the dialog about a member is about. */
export const target = signal<string | undefined>(undefined)

export const closeDialog = (): void => {
  dialog.value = undefined
}

export function Dialogs(): VNode | null {
  switch (dialog.value) {
    case 'switcher':
      return <Switcher />
    case 'browse':
      return <Browse />
    case 'direct':
      return <Direct />
    case 'settings':
      return <Settings />
    case 'leave':
      return <Leave />
    case 'keys':
      return <Keys />
    case 'password':
      return <ChangePassword />
    case 'devices':
      return <Devices />
    case 'delete':
      return <DeleteAccount />
    case 'room':
      return <Later key="room" load={() => import('./RoomSettings')} shell={shellOf('Settings of the room')} />
    case 'member':
      return <MemberDialog />
    case 'message':
      return <MessageMenu />
    case 'react':
      return <ReactDialog />
    case 'delete-message':
      return <DeleteMessage />
    case 'search':
      return <Later key="search" load={() => import('./Search')} shell={(text) => <SearchShell text={text} />} />
    case 'blocks':
      return <Later key="blocks" load={() => import('./Blocks')} shell={shellOf('Blocked people')} />
    default:
      return null
  }
}

interface DialogProps {
  title: string
  children: ComponentChildren
  kind?: string
  close?: () => void
}

export function Dialog({ title, children, kind = '', close = closeDialog }: DialogProps): VNode {
  const element = useRef<HTMLDialogElement>(null)
  const gone = useRef(false)
  useLayoutEffect(() => {
    const shown = element.current!
    shown.showModal()
    return () => {
      // Closed before it is taken away, it gives the focus back to where that was.
      gone.current = true
      shown.close()
    }
  }, [])
  return (
    <dialog
      ref={element}
      class={`dialog ${kind}`}
      aria-label={title}
      onClose={() => gone.current || close()}
      onClick={(event) => event.target === element.current && close()}
    >
      <div class="sheet">
        <header>
          <h2><bdi>{title}</bdi></h2>
          <button type="button" class="icon" aria-label="Close" onClick={close}>
            <Icon node={icons.X} />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  )
}

/** A dialog until its code is there. */
const shellOf = (title: string) => (text: string): VNode =>
  <Dialog title={title}><p class="help" role="status">{text}</p></Dialog>

/** Who types at once loses no letter. */
function SearchShell({ text }: { text: string }): VNode {
  const field = useFocus()
  return (
    <Dialog title="Search" kind="search tall">
      <input
        type="text"
        aria-label="Words to search for"
        value={typed.value}
        ref={field}
        onInput={(event) => (typed.value = event.currentTarget.value)}
      />
      <p class="help" role="status">{text}</p>
    </Dialog>
  )
}

function Direct(): VNode {
  const field = useFocus()
  const [name, setName] = useState('')
  const act = async (): Promise<string | undefined> => {
    const outcome = await openDirect(name.trim())
    return outcome.ok ? undefined : outcome.why
  }
  return (
    <Dialog title="Write to somebody">
      <Form button="Write" ready={name.trim() !== ''} act={act} done={closeDialog}>
        <label for="direct-name">Their name</label>
        <input
          id="direct-name"
          value={name}
          maxLength={32}
          autocapitalize="none"
          autocomplete="off"
          ref={field}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </Form>
    </Dialog>
  )
}

function Leave(): VNode | null {
  const stay = useFocus<HTMLButtonElement>()
  const room = current.value
  if (!room) return null
  const title = room.title.value
  return (
    <Dialog title={room.direct ? 'Close this conversation?' : `Leave #${title}?`}>
      <p>
        {room.direct
          ? 'It comes back as soon as one of you writes to the other again.'
          : room.state.value.kind === 'private'
            ? 'You will see nothing of what is said there. The room is private: you may need a new invitation.'
            : 'You will see nothing of what is said there until you join again.'}
      </p>
      <div class="buttons">
        <button type="button" class="quiet" ref={stay} onClick={closeDialog}>Stay</button>
        <button
          type="button"
          class="primary danger"
          onClick={() => {
            closeDialog()
            void leave(room)
          }}
        >
          {room.direct ? 'Close it' : 'Leave'}
        </button>
      </div>
    </Dialog>
  )
}

function Keys(): VNode {
  return (
    <Dialog title="Keys">
      <dl class="keys">
        {SHORTCUTS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map((key) => <kbd key={key}>{key}</kbd>)}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
