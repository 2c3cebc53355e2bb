/** One row of the timeline, with what stands above it: the day, the line "new", the author. */

import type { VNode } from 'preact'
import { memo } from 'preact/compat'
import { useState } from 'preact/hooks'

import { me } from '../state/chat'
import type { RoomView } from '../state/room'
import { sameDay, seqOf, type Item, type Presence } from '../state/timeline'
import { mentions } from '../text/names'
import { clockOf, dayOf, fullTimeOf } from '../text/time'
import { Avatar, Name } from './Avatar'
import { Icon, icons } from './Icon'
import { Markdown } from './Markdown'
import { insert } from './composing'

/** What somebody says within so long of the last stands below the same name. */
const TOGETHER = 5 * 60_000

interface RowProps {
  item: Item
  before: Item | undefined
  newAfter: number | undefined
  room: RoomView
}

export const Row = memo(function Row({ item, before, newAfter, room }: RowProps): VNode {
  const newDay = !before || !sameDay(before.time, item.time)
  const isNew = newAfter !== undefined && beginsAfter(newAfter, item, before)
  return (
    <div class="row">
      {newDay && <p class="day"><span>{dayOf(item.time)}</span></p>}
      {isNew && <p class="new"><span>New</span></p>}
      <Content item={item} before={newDay || isNew ? undefined : before} room={room} />
    </div>
  )
})

/** Whether this is the first that comes after `seq`. */
function beginsAfter(seq: number, item: Item, before: Item | undefined): boolean {
  const own = seqOf(item)
  if (own === undefined || own <= seq) return false
  return own === seq + 1 || (before?.kind === 'gap' && before.from <= seq + 1)
}

function Content({ item, before, room }: { item: Item; before: Item | undefined; room: RoomView }): VNode {
  switch (item.kind) {
    case 'message':
      return <Message item={item} before={before} room={room} />
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

interface MessageProps {
  item: Extract<Item, { kind: 'message' | 'topic' }>
  before: Item | undefined
  room: RoomView
}

function Message({ item, before, room }: MessageProps): VNode {
  const follows =
    before?.kind === 'message' && before.from === item.from && item.time - before.time < TOGETHER
  const forMe = !room.direct && item.from !== me.value && mentions(item.text, me.value ?? '')
  // The buttons are as many elements as all the rest: they are made when somebody comes near.
  const [near, setNear] = useState(false)
  const come = (): void => setNear(true)
  const time = (
    <time dateTime={new Date(item.time).toISOString()} title={fullTimeOf(item.time)}>
      {clockOf(item.time)}
    </time>
  )
  return (
    <article
      class={`message ${follows ? 'follows' : 'first'} ${forMe ? 'for-me' : ''}`}
      tabIndex={-1}
      aria-label={`${item.from}, ${clockOf(item.time)}`}
      onPointerEnter={come}
      onFocusIn={come}
    >
      <div class="aside">{follows ? time : <Avatar name={item.from} />}</div>
      <div class="body">
        {!follows && <div class="author"><Name name={item.from} />{time}</div>}
        <div class="text" dir="auto"><Markdown text={item.text} /></div>
      </div>
      {near && <Actions item={item} />}
    </article>
  )
}

function Actions({ item }: { item: { from: string; text: string } }): VNode {
  const quote = (): void => {
    const lines = item.text.split('\n').map((line) => `> ${line}`)
    insert(`${lines.join('\n')}\n\n`)
  }
  return (
    <div class="actions" role="group" aria-label={`Message of ${item.from}`}>
      <button type="button" class="icon small" title="Quote" aria-label="Quote" onClick={quote}>
        <Icon node={icons.Quote} />
      </button>
      {item.from !== me.value && (
        <button
          type="button"
          class="icon small"
          title="Mention"
          aria-label={`Mention ${item.from}`}
          onClick={() => insert(`@${item.from} `)}
        >
          <Icon node={icons.AtSign} />
        </button>
      )}
      <button
        type="button"
        class="icon small"
        title="Copy the text"
        aria-label="Copy the text"
        onClick={() => void navigator.clipboard.writeText(item.text)}
      >
        <Icon node={icons.Copy} />
      </button>
    </div>
  )
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
