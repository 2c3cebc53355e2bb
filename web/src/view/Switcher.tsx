/** Ctrl-K: to any room or person by a few letters. */

import type { VNode } from 'preact'
import { useState } from 'preact/hooks'

import { join, open, openDirect } from '../state/actions'
import { current, me, notice, rooms } from '../state/chat'
import { Avatar } from './Avatar'
import { closeDialog, Dialog } from './Dialogs'
import { useFocus } from './focus'
import { Icon, icons } from './Icon'

interface Place {
  key: string
  title: string
  hint: string
  person: boolean
  unread: number
  go: () => void
}

const MOST = 12

export function Switcher(): VNode {
  const field = useFocus()
  const [typed, setTyped] = useState('')
  const [at, setAt] = useState(0)
  const places = find(typed.trim().replace(/^[#@]/, '').toLowerCase())
  const go = (place: Place | undefined): void => {
    if (!place) return
    closeDialog()
    place.go()
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && places.length > 0) {
      event.preventDefault()
      setAt((at + step + places.length) % places.length)
    }
    if (event.key === 'Enter') {
      event.preventDefault()
      go(places[at] ?? places[0])
    }
  }
  return (
    <Dialog title="Go to" kind="switcher">
      <input
        type="text"
        role="combobox"
        aria-label="Room or person"
        aria-expanded="true"
        aria-controls="places"
        aria-activedescendant={places[at] ? `place-${at}` : undefined}
        placeholder="Room or person"
        autocomplete="off"
        value={typed}
        ref={field}
        onInput={(event) => {
          setTyped(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={onKey}
      />
      <ul class="places" id="places" role="listbox" aria-label="Places">
        {places.map((place, i) => (
          <li key={place.key} id={`place-${i}`} role="option" aria-selected={i === at} onClick={() => go(place)}>
            {place.person ? <Avatar name={place.title} small /> : <Icon node={icons.Hash} />}
            <bdi class="title">{place.title}</bdi>
            <small>{place.unread > 0 ? `${place.unread} new` : place.hint}</small>
          </li>
        ))}
      </ul>
    </Dialog>
  )
}

function find(wanted: string): Place[] {
  const known: Place[] = rooms.value.map((room) => ({
    key: room.name,
    title: room.title.value,
    hint: room === current.value ? 'you are here' : '',
    person: room.direct,
    unread: room.unread.value,
    go: () => open(room),
  }))
  const fits = known.filter((place) => place.title.toLowerCase().includes(wanted))
  const begins = (place: Place): number => (place.title.toLowerCase().startsWith(wanted) ? 0 : 1)
  fits.sort((a, b) => b.unread - a.unread || begins(a) - begins(b) || a.title.localeCompare(b.title))
  return [...fits, ...strangers(wanted, known)].slice(0, MOST)
}

/** People of the rooms one knows, and the room that may be called so. */
function strangers(wanted: string, known: Place[]): Place[] {
  if (!wanted) return []
  const titles = new Set(known.filter((place) => place.person).map((place) => place.title))
  const names = new Set(rooms.value.flatMap((room) => [...room.members.value.keys()]))
  const people = [...names]
    .filter((name) => name.toLowerCase().includes(wanted) && name !== me.value && !titles.has(name))
    .slice(0, MOST)
    .map((name) => ({
      key: `@${name}`, title: name, hint: 'write to', person: true, unread: 0,
      go: () => tell(openDirect(name)),
    }))
  if (known.some((place) => !place.person && place.title === wanted)) return people
  const room = {
    key: `#${wanted}`, title: wanted, hint: 'join', person: false, unread: 0,
    go: () => tell(join(wanted)),
  }
  return [...people, room]
}

function tell(tried: ReturnType<typeof join>): void {
  void tried.then((outcome) => {
    if (!outcome.ok) notice.value = outcome.why
  })
}
