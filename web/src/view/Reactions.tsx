/** The reactions below a message: a press adds one's own, or takes it back. */

import type { VNode } from 'preact'

import { me } from '../state/chat'
import type { Message, Reacted } from '../state/items'
import { react, shownReactions } from '../state/messages'
import type { RoomView } from '../state/room'

export function Reactions({ room, message }: { room: RoomView; message: Message }): VNode | null {
  const all = shownReactions(room, message)
  if (all.length === 0) return null
  return (
    <ul class="reactions" aria-label="Reactions">
      {all.map((one) => (
        <li key={one.text}>
          <button
            type="button"
            class="reaction"
            aria-pressed={one.mine === true}
            aria-label={`${one.text}: ${who(one)}`}
            title={who(one)}
            onClick={() => react(room, message, one.text)}
          >
            <bdi>{one.text}</bdi>
            <span>{one.count}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** `ann, bob and 3 more`, oneself as `you`. */
function who({ names, count, mine }: Reacted): string {
  const others = names.filter((name) => name !== me.value)
  const named = mine ? ['you', ...others] : others
  const rest = count - named.length
  if (rest > 0) return `${named.join(', ')} and ${rest} more`
  return named.length > 1 ? `${named.slice(0, -1).join(', ')} and ${named.at(-1)}` : named.join('')
}
