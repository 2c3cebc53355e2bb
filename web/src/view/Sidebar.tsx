/** The rooms, the direct messages, and oneself. */

import type { ComponentChildren, VNode } from 'preact'

import { open } from '../state/actions'
import { account, admin, current, me, rooms } from '../state/chat'
import type { RoomView } from '../state/room'
import { drawer } from './App'
import { Avatar } from './Avatar'
import { dialog } from './Dialogs'
import { Icon, icons } from './Icon'
import { LinkDot } from './LinkState'
import { Logo } from './Logo'

export function Sidebar(): VNode {
  const byTitle = (a: RoomView, b: RoomView): number => a.title.value.localeCompare(b.title.value)
  const all = rooms.value
  const publics = all.filter((room) => !room.direct).sort(byTitle)
  const directs = all.filter((room) => room.direct).sort(byTitle)
  return (
    <nav class="sidebar" aria-label="Rooms">
      <header>
        <Logo />
        <span class="brand">Klatch</span>
        <LinkDot />
      </header>
      <button type="button" class="find" onClick={() => (dialog.value = 'switcher')}>
        <Icon node={icons.Search} />
        <span>Go to…</span>
        <kbd>Ctrl K</kbd>
      </button>
      <div class="lists">
        <Section title="Rooms" add="Browse or create rooms" onAdd={() => (dialog.value = 'browse')}>
          {publics.map((room) => <RoomLink key={room.name} room={room} />)}
        </Section>
        <Section title="Direct messages" add="Write to somebody" onAdd={() => (dialog.value = 'direct')}>
          {directs.map((room) => <RoomLink key={room.name} room={room} />)}
        </Section>
      </div>
      <footer>
        <Avatar name={me.value ?? ''} />
        <span class="myself">
          <bdi>{me.value}</bdi>
          <small>{admin.value ? 'Administrator' : account.value ? 'Account' : 'Guest'}</small>
        </span>
        <button type="button" class="icon" aria-label="Settings" onClick={() => (dialog.value = 'settings')}>
          <Icon node={icons.Settings} />
        </button>
      </footer>
    </nav>
  )
}

interface SectionProps {
  title: string
  add: string
  onAdd: () => void
  children: ComponentChildren[]
}

function Section({ title, add, onAdd, children }: SectionProps): VNode {
  return (
    <section>
      <h2>
        {title}
        <button type="button" class="icon small" aria-label={add} title={add} onClick={onAdd}>
          <Icon node={icons.Plus} />
        </button>
      </h2>
      {children.length > 0 ? <ul>{children}</ul> : (
        <button type="button" class="empty" onClick={onAdd}>{add}</button>
      )}
    </section>
  )
}

function RoomLink({ room }: { room: RoomView }): VNode {
  const unread = room.unread.value
  const urgent = room.direct ? unread : room.mentions.value
  const here = current.value === room
  const title = room.title.value
  const count = urgent > 0 ? urgent : unread
  const label = count === 0 ? '' : urgent > 0 ? `, ${urgent} for you` : `, ${unread} unread`
  const show = (): void => {
    open(room)
    drawer.value = undefined
  }
  return (
    <li>
      <button
        type="button"
        class={`room ${unread > 0 ? 'unread' : ''} ${room.gone.value || room.removed.value ? 'gone' : ''}`}
        aria-current={here ? 'page' : undefined}
        aria-label={title + label}
        onClick={show}
      >
        {room.direct ? <Avatar name={title} small /> : <Icon node={room.state.value.kind === 'private' ? icons.Lock : icons.Hash} />}
        <bdi class="title">{title}</bdi>
        {count > 0 && (
          <span class={`count ${urgent > 0 ? 'urgent' : ''}`}>{count > 99 ? '99+' : count}</span>
        )}
      </button>
    </li>
  )
}
