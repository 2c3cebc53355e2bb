/** A message: who said it, what it answers, its text, its reactions, and what can be done with it. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { me, online } from '../state/chat'
import type { Item, Message } from '../state/items'
import { beginAnswer, beginEdit, goTo, loadQuote, mayDelete, mayEdit, quoted, shownMessage, subject } from '../state/messages'
import type { RoomView } from '../state/room'
import { onOneLine } from '../text/markdown'
import { mentions } from '../text/names'
import { clockOf, fullTimeOf } from '../text/time'
import { Avatar, Name } from './Avatar'
import { dialog, type DialogName } from './Dialogs'
import { Icon, icons } from './Icon'
import { Markdown } from './Markdown'
import { Reactions } from './Reactions'

/** What somebody says within so long of the last stands below the same name. */
const TOGETHER = 5 * 60_000

interface Props {
  item: Message
  before: Item | undefined
  found: boolean
  room: RoomView
}

export function MessageRow({ item, before, found, room }: Props): VNode {
  const message = shownMessage(room, item)
  const { deleted, edited, re, seq, unsaved } = message
  const follows =
    re === undefined && before?.kind === 'message' && before.from === item.from && item.time - before.time < TOGETHER
  const answered = re === undefined ? undefined : quoted(room, re)
  const named = mentions(message.text, me.value ?? '') || answered?.from === me.value
  const forMe = !room.direct && item.from !== me.value && deleted === undefined && named
  // The buttons are as many elements as all the rest: they are made when somebody comes near.
  const [near, setNear] = useState(false)
  const come = (): void => setNear(true)
  const time = (
    <time dateTime={new Date(item.time).toISOString()} title={fullTimeOf(item.time)}>
      {clockOf(item.time)}
    </time>
  )
  const classes = [
    'message', follows ? 'follows' : 'first', forMe && 'for-me', found && 'found', unsaved && 'unsaved',
    room.editing.value?.seq === seq && 'editing',
  ]
  return (
    <article
      class={classes.filter(Boolean).join(' ')}
      data-seq={seq}
      tabIndex={-1}
      aria-label={`${item.from}, ${clockOf(item.time)}`}
      onPointerEnter={come}
      onFocusIn={come}
      onClick={(event) => touched(event) && about(room, message, 'message')}
      onKeyDown={(event) => event.target === event.currentTarget && onKey(event, room, message)}
    >
      {re !== undefined && <Quoted room={room} seq={re} />}
      <div class="aside">{follows ? time : <Avatar name={item.from} />}</div>
      <div class="body">
        {!follows && <div class="author"><Name name={item.from} />{time}</div>}
        {deleted === undefined ? (
          <div class="text" dir="auto">
            <Markdown text={message.text} />
            {edited !== undefined && (
              <small class="edited" title={fullTimeOf(edited)}>{unsaved ? 'saving…' : 'edited'}</small>
            )}
          </div>
        ) : (
          <p class="tombstone"><Icon node={icons.Trash2} />This message was deleted.</p>
        )}
        {message.reactions.length + room.deeds.value.length > 0 && <Reactions room={room} message={message} />}
      </div>
      {near && deleted === undefined && <Actions room={room} message={message} />}
    </article>
  )
}

/** A tap of a finger on a message, and not on something in it. */
function touched(event: MouseEvent): boolean {
  if ((event as PointerEvent).pointerType !== 'touch') return false
  const element = event.target as HTMLElement
  return !element.closest('a, button, pre') && (getSelection()?.isCollapsed ?? true)
}

export function about(room: RoomView, message: Message, what: DialogName): void {
  if (message.deleted !== undefined) return
  subject.value = { room, message }
  dialog.value = what
}

/** Keys on a message that has the focus. */
function onKey(event: KeyboardEvent, room: RoomView, message: Message): void {
  if (event.ctrlKey || event.metaKey || event.altKey || message.deleted !== undefined) return
  const deeds: Record<string, (() => void) | false> = {
    r: () => beginAnswer(room, message),
    e: mayEdit(message) && (() => beginEdit(room, message)),
    '+': () => about(room, message, 'react'),
    c: () => void navigator.clipboard.writeText(message.text),
    delete: mayDelete(room, message) && (() => about(room, message, 'delete-message')),
    enter: () => about(room, message, 'message'),
  }
  const deed = deeds[event.key.toLowerCase()]
  if (!deed) return
  event.preventDefault()
  deed()
}

/** The line above an answer: whom it answers, and the beginning of that. */
function Quoted({ room, seq }: { room: RoomView; seq: number }): VNode {
  const known = quoted(room, seq)
  // What the last visit kept is shown before there is a connection to ask for more.
  useEffect(() => {
    if (known === undefined && online.value) void loadQuote(room, seq)
  }, [known === undefined, online.value, seq])
  return (
    <button type="button" class="quoted" disabled={!known} onClick={() => void goTo(room.name, seq)}>
      <Icon node={icons.Reply} />
      {known ? (
        <>
          <span class="hidden">Answers </span>
          <Name name={known.from} />
          <Preview message={known} />
        </>
      ) : (
        <span>{known === null ? 'A message that is kept no longer' : 'An older message'}</span>
      )}
    </button>
  )
}

/** The beginning of a text, on one line. */
export function Preview({ message }: { message: Message }): VNode {
  if (message.deleted !== undefined) return <i class="preview">deleted</i>
  return <bdi class="preview">{onOneLine(message.text.slice(0, 400)).slice(0, 200)}</bdi>
}

/** What stands beside a message that one points at, or that has the focus. */
function Actions({ room, message }: { room: RoomView; message: Message }): VNode {
  return (
    <div class="actions" role="group" aria-label={`Message of ${message.from}`}>
      <Action icon={icons.SmilePlus} label="React" act={() => about(room, message, 'react')} />
      <Action icon={icons.Reply} label="Answer" act={() => beginAnswer(room, message)} />
      {mayEdit(message) && <Action icon={icons.Pencil} label="Edit" act={() => beginEdit(room, message)} />}
      <Action icon={icons.Ellipsis} label="More" act={() => about(room, message, 'message')} />
    </div>
  )
}

function Action({ icon, label, act }: { icon: (typeof icons)['Reply']; label: string; act: () => void }): VNode {
  return (
    <button type="button" class="icon small" title={label} aria-label={label} onClick={act}>
      <Icon node={icon} />
    </button>
  )
}
