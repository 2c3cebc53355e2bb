/** All public rooms, to join one or make a new one. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { RoomInfo } from '../protocol'
import { create, join, listRooms, open, type Tried } from '../state/actions'
import { findRoom } from '../state/chat'
import { closeDialog, Dialog } from './Dialogs'
import { useFocus } from './focus'
import { Icon, icons } from './Icon'
import { Switch } from './Switch'

export function Browse(): VNode {
  const field = useFocus()
  const [rooms, setRooms] = useState<RoomInfo[]>()
  const [typed, setTyped] = useState('')
  const [topic, setTopic] = useState('')
  const [secret, setSecret] = useState(false)
  const [why, setWhy] = useState('')
  useEffect(() => {
    void listRooms().then((found) => {
      if (typeof found === 'string') setWhy(found)
      else setRooms(found)
    })
  }, [])
  const wanted = typed.trim().replace(/^#/, '').toLowerCase()
  const shown = (rooms ?? []).filter(
    (room) => room.room.includes(wanted) || room.topic.toLowerCase().includes(wanted),
  )
  const exact = shown.some((room) => room.room === wanted)
  const after = (outcome: Tried): void => {
    if (outcome.ok) closeDialog()
    else setWhy(outcome.why)
  }
  const enter = (room: string): void => {
    const known = findRoom(room)
    if (!known) return void join(room).then(after)
    open(known)
    closeDialog()
  }
  return (
    <Dialog title="Rooms" kind="tall">
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          if (exact) enter(wanted)
          else if (wanted) void create(wanted, topic.trim(), secret).then(after)
        }}
      >
        <label class="hidden" for="room-name">Find a room, or name a new one</label>
        <input
          id="room-name"
          type="search"
          placeholder="Find a room, or name a new one"
          value={typed}
          maxLength={32}
          autocapitalize="none"
          autocomplete="off"
          ref={field}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        {wanted && !exact && (
          <div class="create">
            <label class="hidden" for="room-topic">Topic of the new room</label>
            <input
              id="room-topic"
              placeholder="Topic (may stay empty)"
              value={topic}
              maxLength={300}
              onInput={(event) => setTopic(event.currentTarget.value)}
            />
            <Switch on={secret} set={setSecret} title="Private">Only those whom you invite can see it and come in.</Switch>
            <button type="submit" class="primary">Create <bdi>#{wanted}</bdi></button>
          </div>
        )}
        {why && <p class="problem" role="alert">{why}</p>}
      </form>
      <div class="found-list" tabIndex={0} role="group" aria-label="Rooms">
        {!rooms && !why && <p class="help" role="status">Loading…</p>}
        {rooms && shown.length === 0 && <p class="help">No room is called so yet.</p>}
        {shown.slice(0, 200).map((room) => (
          <button key={room.room} type="button" class="found-room" onClick={() => enter(room.room)}>
            <Icon node={room.kind === 'private' ? icons.Lock : icons.Hash} />
            <span>
              <bdi class="title">{room.room}</bdi>
              {room.topic && <bdi class="help">{room.topic}</bdi>}
            </span>
            <small>{findRoom(room.room) ? 'joined' : `${room.members} here`}</small>
          </button>
        ))}
        {shown.length > 200 && <p class="help">And {shown.length - 200} more: type to find them.</p>}
      </div>
    </Dialog>
  )
}
