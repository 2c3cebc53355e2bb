/** What was said: as many rows as are in sight, however many were loaded. */

import type { RefObject, VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { Virtualizer, type VirtualizerHandle } from 'virtua'

import type { Outgoing } from '../protocol'
import { atBottom, current, link, markRead, online } from '../state/chat'
import { loadNewer, loadOlder, showNewest } from '../state/history'
import { seqOf, type Item } from '../state/items'
import { prefs } from '../state/prefs'
import type { RoomView } from '../state/room'
import { keepWords } from '../text/keep'
import { Icon, icons } from './Icon'
import { Pending } from './Pending'
import { Row } from './Row'

/** A row: something of the timeline, or a text of one's own that waits. */
type Line = Item | { kind: 'pending'; id: string; item: Outgoing }

/** Pixels from the bottom that still count as being there. */
const NEAR = 40
/** A movement this soon after a hand, in milliseconds, is that of the hand: a swipe goes on a while. */
const ACTED = 1_500
/** Pixels from the top where older entries are asked for, and from the bottom for newer ones. */
const EARLY = 1_200
/** How long a page that was refused is not asked for again, in milliseconds. */
const AGAIN = 1_000
/** Pixels above and below what is in sight that are drawn too: each costs when one leaps. */
const SPARE = 250

const isOver = (room: RoomView): boolean => room.gone.value !== undefined || room.removed.value !== undefined

const keyOf = (item: Outgoing): string => `p${item.time} ${item.key.join('')}`

function linesOf(room: RoomView): Line[] {
  const waiting = room.pending.map((item) => ({ kind: 'pending' as const, id: keyOf(item), item }))
  const items = prefs.value.presence
    ? room.items.value
    : room.items.value.filter((item) => item.kind !== 'presence')
  return waiting.length > 0 ? [...items, ...waiting] : items
}

export function Timeline({ room }: { room: RoomView }): VNode {
  const list = useRef<VirtualizerHandle>(null)
  const scroller = useRef<HTMLDivElement>(null)
  // Read here, so that a change of any of them draws the list anew.
  void room.outgoing.value
  const lines = linesOf(room)
  const shift = useShift(lines)
  const [far, setFar] = useState(false)
  /** The height of what stands above the list. */
  const [margin, setMargin] = useState(0)

  const lastTop = useRef(0)
  const acted = useRef(0)
  const act = (): void => {
    acted.current = Date.now()
    // Who is at the top already moves nothing by going on.
    older()
  }
  const toBottom = (): void => {
    const view = scroller.current
    if (!view) return
    view.scrollTop = view.scrollHeight
    lastTop.current = view.scrollTop
  }
  useLayoutEffect(() => {
    if (atBottom.value) toBottom()
  }, [lines.length, lines.at(-1)?.id])
  // Rows get their true height when they are drawn, and the place for the list may change too.
  useEffect(() => {
    const view = scroller.current!
    const observer = new ResizeObserver(() => {
      setMargin(view.firstElementChild!.clientHeight)
      if (atBottom.value) toBottom()
    })
    for (const element of [view, ...view.children]) observer.observe(element)
    return () => observer.disconnect()
  }, [])

  // While one is on the way to a message, nothing is put in front of it.
  const underWay = room.target.value !== undefined
  const older = (): void => {
    if (room.target.peek() !== undefined || current.value !== room) return
    // Of the element itself: the list's own measure may lag behind, and then nothing would ever ask again.
    const top = scroller.current?.scrollTop ?? Infinity
    if (top < EARLY && room.timeline.more && !room.loading.value) {
      void loadOlder(room).then((found) => {
        if (found) requestAnimationFrame(older)
        // A busy server refuses a page; who waits at the top moves nothing that would ask again.
        else if (found === undefined && online.value && !isOver(room)) setTimeout(older, AGAIN)
      })
    }
  }
  const newer = (): void => {
    if (room.target.peek() !== undefined) return
    const view = scroller.current
    const left = view ? view.scrollHeight - view.scrollTop - view.clientHeight : Infinity
    if (room.timeline.away && left < EARLY && !room.loading.value) {
      void loadNewer(room).then(() => current.value === room && requestAnimationFrame(newer))
    }
  }
  useTarget(room, lines, list, scroller)
  // A page may be too short to fill the screen; and without a connection nothing was loaded yet.
  useEffect(() => {
    if (!online.value) return
    requestAnimationFrame(older)
    requestAnimationFrame(newer)
  }, [link.value.phase, room, underWay])

  const scrolled = (): void => {
    const view = scroller.current
    if (!view) return
    const left = view.scrollHeight - view.scrollTop - view.clientHeight
    const was = atBottom.value
    // Rows that turn out smaller move the list too; only who scrolls up leaves the bottom.
    const up = view.scrollTop < lastTop.current - 1 && Date.now() - acted.current < ACTED
    lastTop.current = view.scrollTop
    if (left < NEAR) atBottom.value = !room.timeline.away
    else if (up) atBottom.value = false
    setFar(left > view.clientHeight)
    if (!was && atBottom.value) markRead()
    older()
    newer()
  }

  return (
    <div class="timeline">
      <div
        class="scroller"
        ref={scroller}
        role="log"
        aria-live="off"
        aria-label={`Messages in ${room.title.value}`}
        tabIndex={0}
        onKeyDown={(event) => {
          act()
          moveFocus(event)
        }}
        onWheel={act}
        onTouchMove={act}
        onPointerDown={act}
        onPointerMove={(event) => event.buttons > 0 && act()}
        onScroll={scrolled}
      >
        <div class="above">
          {!room.timeline.more && <Beginning room={room} />}
          {room.loading.value && lines.length === 0 && <p class="loading" role="status">Loading…</p>}
        </div>
        <Virtualizer ref={list} scrollRef={scroller} data={lines} shift={shift} startMargin={margin} bufferSize={SPARE}>
          {(line: Line, i: number) =>
            line.kind === 'pending' ? (
              <Pending key={line.id} item={line.item} refused={line.item.refused} />
            ) : (
              <Row
                key={line.id}
                item={line}
                before={lines[i - 1] as Item | undefined}
                newAfter={room.newAfter.value}
                found={room.found.value !== undefined && room.found.value === seqOf(line)}
                room={room}
              />
            )
          }
        </Virtualizer>
      </div>
      {(far || room.timeline.away) && (
        <button
          type="button"
          class="jump"
          onClick={() => {
            showNewest(room)
            toBottom()
          }}
        >
          <Icon node={icons.ArrowDown} />
          {room.unread.value > 0 ? `${room.unread.value} new` : 'Newest'}
        </button>
      )}
    </div>
  )
}

/** Whether the list grew at its front: then what is in sight stays where it is. */
function useShift(lines: Line[]): boolean {
  const first = useRef(lines[0]?.id)
  const length = useRef(lines.length)
  const shift = lines.length > length.current && length.current > 0 && lines[0]?.id !== first.current
  useLayoutEffect(() => {
    first.current = lines[0]?.id
    length.current = lines.length
  })
  return shift
}

/** How often it is looked whether what was gone to is drawn. */
const DRAWN = 30
/** How long it is marked. */
const MARKED = 2_500

/** Brings the entry that is asked for into sight, and gives it the focus. */
function useTarget(
  room: RoomView,
  lines: Line[],
  list: RefObject<VirtualizerHandle | null>,
  scroller: RefObject<HTMLDivElement | null>,
): void {
  const wanted = room.target.value
  useEffect(() => {
    const at = wanted === undefined ? -1 : lines.findIndex((line) => line.kind !== 'pending' && seqOf(line) === wanted)
    if (at < 0) return undefined
    let frame = 0
    let left = DRAWN
    const look = (): void => {
      list.current?.scrollToIndex(at, { align: 'center' })
      const row = scroller.current?.querySelector<HTMLElement>(`[data-seq="${wanted}"]`)
      row?.focus({ preventScroll: true })
      left -= 1
      // Until a dialog is gone that was above it, it takes no focus.
      if ((!row || document.activeElement !== row) && left > 0) {
        frame = requestAnimationFrame(look)
        return
      }
      room.target.value = undefined
      room.found.value = wanted
    }
    frame = requestAnimationFrame(look)
    return () => cancelAnimationFrame(frame)
  }, [wanted, lines.length])
  const found = room.found.value
  useEffect(() => {
    if (found === undefined) return undefined
    const timer = setTimeout(() => (room.found.value = undefined), MARKED)
    return () => clearTimeout(timer)
  }, [found])
}

/** Up and down go from message to message; the actions of each follow in the order of Tab. From the list
 * itself they lead to what is in sight.
 */
function moveFocus(event: KeyboardEvent): void {
  const forward = event.key === 'ArrowDown'
  if (!forward && event.key !== 'ArrowUp') return
  const log = event.currentTarget as HTMLElement
  const focused = (event.target as HTMLElement).closest<HTMLElement>('.message')
  const rows = [...log.querySelectorAll<HTMLElement>('.message')]
  const next = focused ? rows[rows.indexOf(focused) + (forward ? 1 : -1)] : inSight(log, rows, forward)
  if (next) {
    event.preventDefault()
    next.focus()
    next.scrollIntoView({ block: 'nearest' })
  }
}

/** The first message that is in sight, or the last. */
function inSight(log: HTMLElement, rows: HTMLElement[], first: boolean): HTMLElement | undefined {
  const { top, bottom } = log.getBoundingClientRect()
  const seen = (row: HTMLElement): boolean => {
    const box = row.getBoundingClientRect()
    return box.bottom > top + 1 && box.top < bottom - 1
  }
  return first ? rows.find(seen) : rows.findLast(seen)
}

function Beginning({ room }: { room: RoomView }): VNode {
  const title = room.title.value
  const first = room.timeline.firstSeq ?? 1
  const kept = keepWords(room.state.value)
  const words = kept && ` The room keeps messages ${kept}.`
  if (first > 1) return <p class="beginning">Older messages are kept no longer.{words}</p>
  return (
    <div class="beginning">
      <h2>{room.direct ? <bdi>{title}</bdi> : <>#<bdi>{title}</bdi></>}</h2>
      <p>
        {room.direct ? 'Only the two of you are here.' : 'This is where the room begins. Say hello.'}{words}
      </p>
    </div>
  )
}
