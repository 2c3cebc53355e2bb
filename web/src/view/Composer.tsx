/** The place to write: grows with the text, completes names and emoji, keeps its draft. */

import type { TargetedKeyboardEvent, VNode } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'

import { loadMembers, say, typing, typingDone } from '../state/actions'
import { atBottom, me, welcome } from '../state/chat'
import { showNewest } from '../state/history'
import { beginEdit, edit, lastOwn } from '../state/messages'
import { prefs } from '../state/prefs'
import type { RoomView } from '../state/room'
import { completing, fitting } from '../text/complete'
import { loadEmoji, search, withEmoji } from '../text/emoji'
import { focusNewest, insert, setField } from './composing'
import { ComposerMode } from './ComposerMode'
import { EmojiButton } from './EmojiPicker'
import { Icon, icons } from './Icon'
import { isClosed, MayWrite, useSlow } from './MayWrite'
import { about } from './MessageRow'

interface Choice {
  key: string
  sign: string
  label: string
  insert: string
}

const CHOICES = 8
const bytes = new TextEncoder()

export function Composer({ room }: { room: RoomView }): VNode {
  const field = useRef<HTMLTextAreaElement>(null)
  const [text, setText] = useState(room.draft)
  const completion = useCompletion(room, text, field.current)
  const title = room.title.value
  const most = Number(welcome.value?.limits.text_bytes ?? 16_384)
  const size = text.length * 3 > most ? bytes.encode(text).length : 0
  const empty = text.trim() === ''
  const slow = useSlow(room)
  const closed = isClosed(room)
  const ready = !empty && size <= most && slow === 0 && !closed

  useEffect(() => {
    setField(field.current ?? undefined)
    if (matchMedia('(hover: hover)').matches) field.current?.focus()
    return () => setField(undefined)
  }, [])
  useLayoutEffect(() => {
    const area = field.current!
    area.style.height = 'auto'
    area.style.height = `${area.scrollHeight}px`
  }, [text])

  const editing = room.editing.value
  // The draft waits while something is edited, and comes back.
  useLayoutEffect(() => {
    setText(editing ? editing.text : room.draft)
    if (editing) field.current?.focus()
  }, [editing?.seq])
  const answering = room.answering.value
  useEffect(() => {
    if (answering) field.current?.focus()
  }, [answering?.seq])

  const write = (now: string): void => {
    if (!editing) room.draft = now
    setText(now)
    typing(room, now.trim() !== '')
  }
  const cancel = (): boolean => {
    if (!editing && !answering) return false
    room.editing.value = room.answering.value = undefined
    return true
  }
  const save = (said: string): void => {
    if (!editing) return
    // Nothing left of it: that is what deleting is for.
    if (said.trim() === '') return about(room, editing, 'delete-message')
    if (said === editing.text || edit(room, editing.seq, said)) room.editing.value = undefined
  }
  const send = (): void => {
    // A space where the server wants no other sign stays a space; the ends say nothing.
    const said = withEmoji(text.replace(/\s+$/u, ''))
    if (editing) return size > most || closed ? undefined : save(said)
    if (!ready || !say(room, said, answering?.seq)) return
    room.answering.value = undefined
    room.draft = ''
    setText('')
    typingDone()
    if (room.timeline.away) showNewest(room)
    atBottom.value = true
  }
  /** The last thing one said, to be put right. */
  const editLast = (): boolean => {
    const last = text === '' && !editing ? lastOwn(room) : undefined
    if (last) beginEdit(room, last)
    return last !== undefined
  }
  const onKey = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    // Enter that ends a composition, as in Japanese, is no Enter.
    if (event.isComposing) return
    if (completion.onKey(event)) return event.preventDefault()
    const sends = prefs.value.enterSends ? !event.shiftKey && !event.altKey : event.ctrlKey || event.metaKey
    if (event.key === 'Enter' && sends) {
      event.preventDefault()
      send()
    }
    if (event.key === 'Escape' && cancel()) event.preventDefault()
    const plain = !event.altKey && !event.shiftKey && !event.metaKey
    if (plain && event.key === 'ArrowUp' && (event.ctrlKey ? focusNewest() : editLast())) event.preventDefault()
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {completion.list}
      <ComposerMode room={room} cancel={cancel} />
      <div class="box">
        <EmojiButton pick={(char) => insert(char)} />
        <textarea
          ref={field}
          rows={1}
          value={text}
          placeholder={room.direct ? `Write to ${title}` : `Write in #${title}`}
          aria-label={room.direct ? `Message to ${title}` : `Message in ${title}`}
          enterkeyhint={prefs.value.enterSends ? 'send' : 'enter'}
          dir="auto"
          {...completion.aria}
          disabled={closed}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKey}
          onBlur={() => typing(room, false)}
        />
        <button type="submit" class="send" aria-label={editing ? 'Save the change' : 'Send'} disabled={editing ? size > most || closed : !ready}>
          <Icon node={editing ? icons.Check : icons.SendHorizontal} />
        </button>
      </div>
      <MayWrite room={room} slow={slow} />
      {size > most && (
        <p class="too-long" role="alert">{size - most} bytes too long. Send it in parts.</p>
      )}
    </form>
  )
}

/** The list of names or emoji that fit what stands before the cursor. */
function useCompletion(room: RoomView, text: string, field: HTMLTextAreaElement | null) {
  const [choices, setChoices] = useState<Choice[]>([])
  const [at, setAt] = useState(0)
  const [dismissed, setDismissed] = useState('')
  const part = field && document.activeElement === field ? completing(text, field.selectionStart) : undefined
  const what = part ? `${part.kind} ${part.from} ${part.typed}` : ''

  useEffect(() => {
    setAt(0)
    if (!part) return setChoices([])
    let current = true
    const found = part.kind === 'mention' ? people(room, part.typed) : emoji(part.typed)
    void found.then((all) => current && setChoices(all)).catch(() => {})
    return () => {
      current = false
    }
  }, [what, room.members.value])

  const open = part !== undefined && choices.length > 0 && dismissed !== what
  const take = (choice: Choice): void => {
    if (part) insert(choice.insert, part.from)
  }
  const onKey = (event: KeyboardEvent): boolean => {
    if (!open) return false
    const count = choices.length
    switch (event.key) {
      case 'ArrowDown':
        return (setAt((at + 1) % count), true)
      case 'ArrowUp':
        return (setAt((at + count - 1) % count), true)
      case 'Enter':
        // Somebody who has typed all of it wants to send.
        if (choices.some((choice) => choice.insert.trim() === `${part.kind === 'mention' ? '@' : ''}${part.typed}`)) return false
        return (take(choices[at] ?? choices[0]!), true)
      case 'Tab':
        return (take(choices[at] ?? choices[0]!), true)
      case 'Escape':
        return (setDismissed(what), true)
      default:
        return false
    }
  }
  const list = open && (
    <ul class="choices" id="choices" role="listbox" aria-label="Suggestions">
      {choices.map((choice, i) => (
        <li
          key={choice.key}
          id={`choice-${i}`}
          role="option"
          aria-selected={i === at}
          onPointerDown={(event) => {
            event.preventDefault()
            take(choice)
          }}
        >
          <span class="sign">{choice.sign}</span>
          <bdi>{choice.label}</bdi>
        </li>
      ))}
    </ul>
  )
  const aria = {
    'aria-autocomplete': 'list' as const,
    'aria-controls': open ? 'choices' : undefined,
    'aria-activedescendant': open ? `choice-${at}` : undefined,
  }
  return { list, onKey, aria }
}

async function people(room: RoomView, typed: string): Promise<Choice[]> {
  void loadMembers(room)
  const recent = new Set<string>()
  for (const item of room.items.value.slice(-200).reverse()) {
    if (item.kind === 'message' && item.from !== me.value) recent.add(item.from)
  }
  const names = fitting(room.members.value.keys(), typed, [...recent], CHOICES)
  return names
    .filter((name) => name !== me.value)
    .map((name) => ({ key: name, sign: '@', label: name, insert: `@${name} ` }))
}

async function emoji(typed: string): Promise<Choice[]> {
  const found = search(await loadEmoji(), typed, CHOICES)
  return found.map((each) => ({
    key: each.char,
    sign: each.char,
    label: `:${each.codes[0] ?? each.name}:`,
    insert: `${each.char} `,
  }))
}
