/** Who is writing right now. The line keeps its height, so that nothing jumps. */

import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'

import type { RoomView } from '../state/room'

export function TypingLine({ room }: { room: RoomView }): VNode {
  const typing = room.typing.value
  useEffect(() => {
    if (typing.size === 0) return undefined
    const next = Math.min(...typing.values()) - Date.now()
    const timer = setTimeout(() => {
      const now = Date.now()
      room.typing.value = new Map([...typing].filter(([, until]) => until > now))
    }, Math.max(next, 100))
    return () => clearTimeout(timer)
  }, [typing])
  const names = [...typing.keys()]
  return (
    <div class="typing">
      {names.length > 0 && (
        <>
          <span class="dots" aria-hidden="true"><i /><i /><i /></span>
          <span>{words(names)}</span>
        </>
      )}
    </div>
  )
}

function words(names: string[]): VNode {
  const [first, second] = names
  if (names.length === 1) return <><bdi>{first}</bdi> is writing</>
  if (names.length === 2) return <><bdi>{first}</bdi> and <bdi>{second}</bdi> are writing</>
  return <><bdi>{first}</bdi>, <bdi>{second}</bdi> and {names.length - 2} more are writing</>
}
