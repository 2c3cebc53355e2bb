/** The room that is looked at: its head, what was said, and the place to write. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import { create, join, leave, setTopic, wordsOf } from '../state/actions'
import { canBlock } from '../state/blocks'
import { current, link, notice, online } from '../state/chat'
import { moderates } from '../state/moderation'
import { prefs, setPref } from '../state/prefs'
import type { RoomView } from '../state/room'
import { untilWords } from '../text/time'
import { drawer } from './App'
import { Avatar } from './Avatar'
import { Composer } from './Composer'
import { dialog, target } from './Dialogs'
import { Icon, icons } from './Icon'
import { LinkBanner } from './LinkState'
import { Timeline } from './Timeline'
import { TypingLine } from './TypingLine'

export function RoomPane(): VNode {
  const room = current.value
  return (
    <main class="room-pane">
      {room ? <Head key={room.id} room={room} /> : <EmptyHead />}
      <LinkBanner />
      {room?.gone.value && <Gone room={room} />}
      {room?.removed.value && <Removed room={room} />}
      {room ? (
        <>
          <Timeline key={`t ${room.id} ${room.turn.value}`} room={room} />
          <TypingLine key={`y ${room.id}`} room={room} />
          <Composer key={`c ${room.id}`} room={room} />
        </>
      ) : (
        <div class="nothing">
          <Icon node={icons.MessageCircle} />
          <p>You are in no room.</p>
          <button type="button" class="primary" disabled={!online.value} onClick={() => (dialog.value = 'browse')}>
            Find a room
          </button>
        </div>
      )}
    </main>
  )
}

function RoomsButton(): VNode {
  return (
    <button type="button" class="icon narrow" aria-label="Show the rooms" onClick={() => (drawer.value = 'rooms')}>
      <Icon node={icons.Menu} />
      <span class={`link ${link.value.phase}`}><span class="dot" /></span>
    </button>
  )
}

function EmptyHead(): VNode {
  return (
    <header class="head">
      <RoomsButton />
      <h1>Klatch</h1>
    </header>
  )
}

function Head({ room }: { room: RoomView }): VNode {
  const { members, kind } = room.state.value
  const title = room.title.value
  const toggle = (): void => {
    if (matchMedia('(max-width: 1000px)').matches) drawer.value = 'members'
    else setPref('members', !prefs.value.members)
  }
  return (
    <header class="head">
      <RoomsButton />
      {room.direct ? <Avatar name={title} /> : <span class="hash"><Icon node={kind === 'private' ? icons.Lock : icons.Hash} /></span>}
      <h1><bdi>{title}</bdi></h1>
      <Topic room={room} />
      <button
        type="button"
        class="icon"
        aria-label="Search what was said"
        title="Search (Ctrl Shift F)"
        disabled={!online.value}
        onClick={() => (dialog.value = 'search')}
      >
        <Icon node={icons.Search} />
      </button>
      <button
        type="button"
        class="members-toggle"
        aria-label={`${members} ${members === 1 ? 'member' : 'members'}: show or hide them`}
        title="Members"
        onClick={toggle}
      >
        <Icon node={icons.Users} />
        <span aria-hidden="true">{members}</span>
      </button>
      {room.direct && canBlock() && (
        <button
          type="button"
          class="icon"
          aria-label={`More about ${title}`}
          title={`More about ${title}`}
          disabled={!online.value}
          onClick={() => {
            target.value = title
            dialog.value = 'member'
          }}
        >
          <Icon node={icons.Ellipsis} />
        </button>
      )}
      {moderates(room) && (
        <button
          type="button"
          class="icon"
          aria-label="Settings of the room"
          title="Settings of the room"
          disabled={!online.value}
          onClick={() => (dialog.value = 'room')}
        >
          <Icon node={icons.SlidersHorizontal} />
        </button>
      )}
      <button
        type="button"
        class="icon"
        aria-label={room.direct ? 'Close this conversation' : 'Leave this room'}
        title={room.direct ? 'Close this conversation' : 'Leave this room'}
        onClick={() => (dialog.value = 'leave')}
      >
        <Icon node={icons.LogOut} />
      </button>
    </header>
  )
}

function Topic({ room }: { room: RoomView }): VNode {
  const field = useRef<HTMLInputElement>(null)
  const [editing, setEditing] = useState(false)
  const { topic } = room.state.value
  useEffect(() => {
    if (editing) field.current?.focus()
  }, [editing])
  if (room.direct) return <span class="topic" />
  const done = async (text: string): Promise<void> => {
    setEditing(false)
    if (text.trim() === topic) return
    const why = await setTopic(room, text.trim())
    if (why) notice.value = why
  }
  if (!editing) {
    return (
      <button
        type="button"
        class={`topic ${topic ? '' : 'unset'}`}
        title={topic || 'Set a topic'}
        aria-label={topic ? `Topic: ${topic}. Change it` : 'Set a topic'}
        disabled={!online.value}
        onClick={() => setEditing(true)}
      >
        {topic ? <bdi>{topic}</bdi> : 'Set a topic'}
      </button>
    )
  }
  return (
    <input
      class="topic"
      aria-label="Topic"
      maxLength={1024}
      ref={field}
      defaultValue={topic}
      onBlur={(event) => void done(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') void done(event.currentTarget.value)
        if (event.key === 'Escape') setEditing(false)
      }}
    />
  )
}

/** A moderator put us out. */
function Removed({ room }: { room: RoomView }): VNode {
  const { by, text, reason, until } = room.removed.value!
  const again = async (): Promise<void> => {
    const outcome = await join(room.name)
    if (!outcome.ok) notice.value = outcome.why
  }
  const banned = reason === 'banned'
  return (
    <div class="banner" role="alert">
      <Icon node={icons.CircleAlert} />
      <span>
        {reason === 'deleted'
          ? by === undefined ? 'This room was deleted' : <><bdi class="strong">{by}</bdi> deleted this room</>
          : by === undefined ? 'You were put out of this room' : <><bdi class="strong">{by}</bdi> put you out of this room</>}
        {banned && (until === undefined ? ', for good' : `, ${untilWords(Number(until))}`)}
        {text ? <>: “<bdi>{text}</bdi>”</> : '.'}
      </span>
      {!banned && reason !== 'deleted' && room.state.value.kind !== 'private' && (
        <button type="button" class="quiet" onClick={() => void again()}>Join again</button>
      )}
      <button type="button" class="quiet" onClick={() => void leave(room)}>Close</button>
    </div>
  )
}

/** The server did not let us back into this room. */
function Gone({ room }: { room: RoomView }): VNode {
  const why = room.gone.value!
  const again = async (): Promise<void> => {
    const outcome = await create(room.name, room.state.value.topic)
    if (!outcome.ok) notice.value = outcome.why
  }
  return (
    <div class="banner" role="status">
      <Icon node={icons.CircleAlert} />
      <span>This room is gone. {wordsOf(why)}</span>
      {why.name === 'not_found' && !room.direct && (
        <button type="button" class="quiet" onClick={() => void again()}>Create it again</button>
      )}
      <button type="button" class="quiet" onClick={() => void leave(room)}>Close</button>
    </div>
  )
}
