/** Why one cannot write here, or not yet. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { block, blocks } from '../state/blocks'
import { notice, online, welcome } from '../state/chat'
import type { RoomView } from '../state/room'
import { durationWords, untilWords } from '../text/time'

/** Whether members are kept from writing for as long as the room is set so. */
export const isClosed = (room: RoomView): boolean =>
  room.gone.value !== undefined || room.removed.value !== undefined || blocks(room.state.value.with) ||
  (room.state.value.announcement && room.state.value.role === 'member')

/** Seconds until slow mode takes the next text. */
export function useSlow(room: RoomView): number {
  const until = room.slowUntil.value
  const seconds = (): number => Math.max(0, Math.ceil((until - Date.now()) / 1000))
  const [left, setLeft] = useState(seconds)
  useEffect(() => {
    setLeft(seconds())
    if (until <= Date.now()) return undefined
    const timer = setInterval(() => setLeft(seconds()), 250)
    return () => clearInterval(timer)
  }, [until])
  return left
}

export function MayWrite({ room, slow }: { room: RoomView; slow: number }): VNode | null {
  const { announcement, role, slow_ms } = room.state.value
  const barred = room.barred.value
  useEffect(() => {
    if (barred?.until === undefined) return undefined
    const timer = setTimeout(() => (room.barred.value = undefined), Math.min(barred.until - Date.now(), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  }, [barred])
  if (welcome.value === undefined || room.removed.value || room.gone.value) return null
  const other = room.state.value.with
  if (other !== undefined && blocks(other)) return <Blocked name={other} />
  if (announcement && role === 'member') return <p class="may-write" role="status">Only moderators and owners write here.</p>
  if (barred) {
    const until = barred.until === undefined ? '' : `, ${untilWords(barred.until)}`
    const begun = barred.text.charAt(0).toUpperCase() + barred.text.slice(1)
    return <p class="may-write" role="status">{begun.replace(/\.$/, '')}{until}.</p>
  }
  if (slow > 0) return <p class="may-write" role="timer" aria-live="off">Slow mode: you can write again in {slow} s.</p>
  if (slow_ms > 0 && role === 'member') {
    return <p class="may-write">Slow mode: one message every {durationWords(slow_ms)}.</p>
  }
  return null
}

function Blocked({ name }: { name: string }): VNode {
  const unblock = async (): Promise<void> => {
    const why = await block(name, false)
    if (why !== undefined) notice.value = why
  }
  return (
    <p class="may-write" role="status">
      You block <bdi class="strong">{name}</bdi>: neither of you can write here.{' '}
      <button type="button" class="quiet" disabled={!online.value} onClick={() => void unblock()}>Unblock</button>
    </p>
  )
}
