/** The picker: all emoji by group, or those that fit what is typed. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import { load, save } from '../state/stored'
import { GROUPS, loadEmoji, search, type Emoji } from '../text/emoji'
import { useFocus } from './focus'
import { Icon, icons } from './Icon'

const RECENT = 24

export function EmojiButton({ pick }: { pick: (char: string) => void }): VNode {
  const [open, setOpen] = useState(false)
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (!open) return undefined
    const outside = (event: PointerEvent): void => {
      if (!place.current?.contains(event.target as Node)) setOpen(false)
    }
    addEventListener('pointerdown', outside)
    return () => removeEventListener('pointerdown', outside)
  }, [open])
  return (
    <div class="emoji-place" ref={place} onKeyDown={(event) => event.key === 'Escape' && setOpen(false)}>
      <button type="button" class="icon" aria-label="Emoji" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon node={icons.SmilePlus} />
      </button>
      {open && (
        <Picker
          pick={(char) => {
            setOpen(false)
            pick(char)
          }}
        />
      )}
    </div>
  )
}

export const recentEmoji = (): string[] => load<string[]>('emoji') ?? ['👍', '❤️', '😂', '🎉', '🙏', '👀']

function remember(char: string): void {
  save('emoji', [char, ...recentEmoji().filter((other) => other !== char)].slice(0, RECENT))
}

export function Picker({ pick: take }: { pick: (char: string) => void }): VNode {
  const pick = (char: string): void => {
    remember(char)
    take(char)
  }
  const field = useFocus()
  const [all, setAll] = useState<Emoji[]>()
  const [failed, setFailed] = useState(false)
  const [typed, setTyped] = useState('')
  const [group, setGroup] = useState(-1)
  useEffect(() => {
    loadEmoji().then(setAll, () => setFailed(true))
  }, [])
  const shown = !all ? [] : typed ? search(all, typed, 120) : inGroup(all, group)
  return (
    <div class="picker" role="group" aria-label="Emoji">
      <input
        type="text"
        inputmode="search"
        placeholder="Search"
        aria-label="Search emoji"
        ref={field}
        value={typed}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
          event.preventDefault()
          if (shown[0]) pick(shown[0].char)
        }}
      />
      <div class="groups" role="tablist" aria-label="Groups">
        {[[-1, 'Recent', '🕘'] as const, ...GROUPS].map(([id, name, sign]) => (
          <button
            key={id}
            type="button"
            role="tab"
            aria-selected={group === id && !typed}
            aria-label={name}
            title={name}
            onClick={() => {
              setGroup(id)
              setTyped('')
            }}
          >
            {sign}
          </button>
        ))}
      </div>
      <div class="grid" role="tabpanel" aria-label="Emoji to choose" tabIndex={0}>
        {failed && <p role="alert">The emoji could not be loaded.</p>}
        {!all && !failed && <p role="status">Loading…</p>}
        {all && shown.length === 0 && <p>Nothing is called so.</p>}
        {shown.map((each) => (
          <button key={each.char} type="button" title={each.name} aria-label={each.name} onClick={() => pick(each.char)}>
            {each.char}
          </button>
        ))}
      </div>
    </div>
  )
}

function inGroup(all: Emoji[], group: number): Emoji[] {
  if (group >= 0) return all.filter((each) => each.group === group)
  return recentEmoji().flatMap((char) => all.find((each) => each.char === char) ?? [])
}
