/** Who is in the room. */

import type { VNode } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Virtualizer } from 'virtua'

import type { MemberInfo } from '../protocol'
import { loadMembers, openDirect } from '../state/actions'
import { canBlock } from '../state/blocks'
import { current, me, notice, online } from '../state/chat'
import { isBelow } from '../state/moderation'
import { prefs, setPref } from '../state/prefs'
import type { RoomView } from '../state/room'
import { drawer } from './App'
import { Avatar } from './Avatar'
import { dialog, target } from './Dialogs'
import { Icon, icons } from './Icon'

export function MembersPanel(): VNode | null {
  const room = current.value
  if (!room || room.removed.value || (!prefs.value.members && drawer.value !== 'members')) return null
  return <Panel key={room.id} room={room} />
}

function Panel({ room }: { room: RoomView }): VNode {
  const [typed, setTyped] = useState('')
  const scroller = useRef<HTMLDivElement>(null)
  const known = room.members.value
  const total = room.state.value.members
  const connected = online.value
  useEffect(() => {
    // Somebody who comes or goes is told by events; of many at once only some are named.
    const timer = setTimeout(() => void loadMembers(room), room.membersKnown ? 2_000 : 0)
    return () => clearTimeout(timer)
  }, [connected, total])
  const people = useMemo(() => inOrder([...known.values()]), [known])
  const wanted = typed.trim().toLowerCase()
  const shown = wanted ? people.filter(({ name }) => name.toLowerCase().includes(wanted)) : people
  const close = (): void => {
    if (drawer.value === 'members') drawer.value = undefined
    else setPref('members', false)
  }
  return (
    <aside class="members" aria-label="Members">
      <header>
        <h2>Members <span class="total">{total}</span></h2>
        <button type="button" class="icon small" aria-label="Close the members" onClick={close}>
          <Icon node={icons.X} />
        </button>
      </header>
      {total > 8 && (
        <input
          type="search"
          placeholder="Find"
          aria-label="Find a member"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      )}
      <div class="people" ref={scroller} tabIndex={0} role="group" aria-label="Everybody in this room">
        <Virtualizer scrollRef={scroller} data={shown}>
          {(member: MemberInfo) => <Member key={member.name} room={room} member={member} />}
        </Virtualizer>
        {wanted && shown.length === 0 && <p class="help">Nobody is called so.</p>}
      </div>
    </aside>
  )
}

/** Who keeps order stands first. */
function inOrder(people: MemberInfo[]): MemberInfo[] {
  const rank = ({ role }: MemberInfo): number => (role === 'owner' ? 0 : role === 'moderator' ? 1 : 2)
  return people.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name))
}

function Member({ room, member }: { room: RoomView; member: MemberInfo }): VNode {
  const { name, role, guest } = member
  const own = name === me.value
  const words = [role === 'member' ? '' : role, own ? 'you' : guest && role === 'member' ? 'guest' : ''].filter(Boolean).join(', ')
  const write = async (): Promise<void> => {
    const outcome = await openDirect(name)
    if (!outcome.ok) notice.value = outcome.why
    drawer.value = undefined
  }
  const about = (): void => {
    target.value = name
    dialog.value = 'member'
  }
  return (
    <div class="member-row">
      <button
        type="button"
        class="member"
        disabled={own || !online.value}
        title={own ? 'This is you' : `Write to ${name}`}
        onClick={() => void write()}
      >
        <span class="presence"><Avatar name={name} small /></span>
        <bdi>{name}</bdi>
      </button>
      {words && <small>{words}</small>}
      {!own && (isBelow(room, role) || canBlock()) && (
        <button type="button" class="icon small" disabled={!online.value} aria-label={`What to do about ${name}`} title={`More about ${name}`} onClick={about}>
          <Icon node={icons.Ellipsis} />
        </button>
      )}
    </div>
  )
}
