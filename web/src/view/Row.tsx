/** One row of the timeline, with what stands above it: the day, the line "new", the author. */

import type { VNode } from 'preact'
import { memo } from 'preact/compat'

import { seqOf, type Item, type Presence } from '../state/items'
import type { RoomView } from '../state/room'
import { sameDay } from '../state/timeline'
import { dayOf } from '../text/time'
import { Name } from './Avatar'
import { MessageRow } from './MessageRow'

interface RowProps {
  item: Item
  before: Item | undefined
  newAfter: number | undefined
  /** Whether one has just gone to it. */
  found: boolean
  room: RoomView
}

export const Row = memo(function Row({ item, before, newAfter, found, room }: RowProps): VNode {
  const newDay = !before || !sameDay(before.time, item.time)
  const isNew = newAfter !== undefined && beginsAfter(newAfter, item, before)
  return (
    <div class="row">
      {newDay && <p class="day"><span>{dayOf(item.time)}</span></p>}
      {isNew && <p class="new"><span>New</span></p>}
      <Content item={item} before={newDay || isNew ? undefined : before} found={found} room={room} />
    </div>
  )
})

/** Whether this is the first that comes after `seq`. */
function beginsAfter(seq: number, item: Item, before: Item | undefined): boolean {
  const own = seqOf(item)
  if (own === undefined || own <= seq) return false
  return own === seq + 1 || (before?.kind === 'gap' && before.from <= seq + 1)
}

function Content({ item, before, found, room }: Omit<RowProps, 'newAfter'>): VNode {
  switch (item.kind) {
    case 'message':
      return <MessageRow item={item} before={before} found={found} room={room} />
    case 'topic':
      return (
        <p class="line">
          <Name name={item.from} />{' '}
          {item.text ? <>set the topic: <bdi class="strong">{item.text}</bdi></> : 'cleared the topic'}
        </p>
      )
    case 'presence':
      return <PresenceLine line={item} />
    case 'note': {
      const { by, what, whom, then } = item.note
      return (
        <p class="line">
          <Name name={by} /> {what}{whom !== undefined && <> <Name name={whom} /></>}{then && ` ${then}`}
        </p>
      )
    }
    case 'gap':
      return <p class="line gap">{item.to - item.from + 1} messages are kept no longer.</p>
  }
}

function PresenceLine({ line }: { line: Presence }): VNode {
  const parts: VNode[] = []
  if (line.joined.length > 0) parts.push(<span key="j"><Names names={line.joined} /> joined</span>)
  if (line.left.length > 0) parts.push(<span key="l"><Names names={line.left} /> left</span>)
  if (line.more > 0) parts.push(<span key="m">{line.more} more came or went</span>)
  return (
    <p class="line presence">
      {parts.map((part, i) => (i > 0 ? <span key={i}> · {part}</span> : part))}
    </p>
  )
}

function Names({ names }: { names: string[] }): VNode {
  const shown = names.slice(0, 3)
  const rest = names.length - shown.length
  return (
    <span title={names.join(', ')}>
      {shown.map((name, i) => (
        <span key={name}>
          {i > 0 && (i === shown.length - 1 && rest === 0 ? ' and ' : ', ')}
          <Name name={name} />
        </span>
      ))}
      {rest > 0 && ` and ${rest} more`}
    </span>
  )
}
