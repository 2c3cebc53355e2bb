/** What was said, by words: in this room, or in all that one may see. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { Hit } from '../protocol'
import { current, findRoom, me, online } from '../state/chat'
import { find, onlyHere, openHit, typed, type Found } from '../state/search'
import { excerpt } from '../text/excerpt'
import { questionOf, type Question } from '../text/question'
import { clockOf, dayOf, fullTimeOf } from '../text/time'
import { Name } from './Avatar'
import { closeDialog, Dialog } from './Dialogs'
import { useFocus } from './focus'
import { Icon, icons } from './Icon'

import '../style/search.css'

/** So long nobody types before it is searched. */
const PAUSE = 200

interface State {
  question?: Question
  found: Found
  busy: boolean
  why?: string
}

const NOTHING: State = { found: { hits: [] }, busy: false }

export default function Search(): VNode {
  const field = useFocus()
  const room = current.value
  const here = onlyHere.value && room ? room.name : undefined
  const { state, more } = useHits(typed.value, here)
  const [at, setAt] = useState(0)
  const { hits, next } = state.found
  const list = useRef<HTMLUListElement>(null)
  useEffect(() => setAt(0), [state.question])
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' })
    if (at >= hits.length - 3) more()
  }, [at, hits.length])

  const go = (hit: Hit | undefined): void => {
    if (!hit) return
    closeDialog()
    void openHit(hit)
  }
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 6, PageUp: -6 }[event.key]
    if (step !== undefined && hits.length > 0) {
      event.preventDefault()
      setAt(Math.min(Math.max(at + step, 0), hits.length - 1))
    }
    if (event.key === 'Enter') {
      event.preventDefault()
      go(hits[at])
    }
  }
  const words = state.question?.text.split(/\s+/u) ?? []
  return (
    <Dialog title="Search" kind="search tall">
      <input
        type="text"
        role="combobox"
        aria-label="Words to search for"
        aria-expanded={hits.length > 0}
        aria-controls="hits"
        aria-activedescendant={hits[at] ? `hit-${at}` : undefined}
        placeholder="Words, or from:name and words"
        autocomplete="off"
        maxLength={200}
        value={typed.value}
        ref={field}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onKeyDown={onKey}
      />
      {room && (
        <fieldset class="choice">
          <legend class="hidden">Where to search</legend>
          <div class="segments" style={{ '--count': 2 }}>
            <Scope label="All rooms" checked={!onlyHere.value} choose={() => (onlyHere.value = false)} />
            <Scope label={`Only ${room.direct ? '' : '#'}${room.title.value}`} checked={onlyHere.value} choose={() => (onlyHere.value = true)} />
          </div>
        </fieldset>
      )}
      <p class="help status" role="status">{statusOf(state)}</p>
      {/* The field keeps the focus: by arrows one goes through them from there. */}
      <ul
        class="hits"
        id="hits"
        role="listbox"
        aria-label="Found messages"
        ref={list}
        tabIndex={-1}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget
          if (scrollHeight - scrollTop - clientHeight < 200) more()
        }}
      >
        {hits.map((hit, i) => (
          <Line key={`${hit.room} ${hit.entry.seq}`} id={`hit-${i}`} hit={hit} words={words} selected={i === at} go={() => go(hit)} />
        ))}
      </ul>
      {hits.length === 0 && next !== undefined && !state.busy && (
        <button type="button" class="quiet" onClick={more}>Search further back</button>
      )}
    </Dialog>
  )
}

function Scope({ label, checked, choose }: { label: string; checked: boolean; choose: () => void }): VNode {
  return (
    <label>
      <input type="radio" name="scope" checked={checked} onChange={choose} />
      <span><bdi>{label}</bdi></span>
    </label>
  )
}

function statusOf({ question, found: { hits, next }, busy, why }: State): string {
  if (why) return why
  if (busy && hits.length === 0) return 'Searching…'
  if (!question) return 'Every word must be in a message, also inside of other words. One has two letters or more.'
  if (hits.length === 0) return next === undefined ? 'Nothing was found.' : 'Nothing yet. There is more further back.'
  return `${hits.length}${next === undefined ? '' : ' and more'} found, the newest first.`
}

/** Searches when somebody has stopped typing; `more` asks for the next hits. */
function useHits(text: string, room: string | undefined): { state: State; more: () => void } {
  const [state, setState] = useState<State>(NOTHING)
  const turn = useRef(0)
  const connected = online.value
  useEffect(() => {
    const question = questionOf(text, room)
    const own = (turn.current += 1)
    if (!question) return setState(NOTHING)
    setState((before) => ({ ...before, busy: true }))
    const timer = setTimeout(() => {
      void find(question).then((found) => {
        if (own === turn.current) setState({ question, busy: false, ...outcome(found, []) })
      })
    }, PAUSE)
    return () => clearTimeout(timer)
  }, [text, room, connected])
  const more = (): void => {
    const { question, found, busy } = state
    if (!question || busy || found.next === undefined) return
    const own = turn.current
    setState({ ...state, busy: true })
    void find(question, found.next).then((page) => {
      if (own === turn.current) setState({ question, busy: false, ...outcome(page, found.hits) })
    })
  }
  return { state, more }
}

function outcome(found: Found | string, before: Hit[]): { found: Found; why?: string } {
  if (typeof found === 'string') return { found: { hits: before }, why: found }
  return { found: { ...found, hits: [...before, ...found.hits] } }
}

function Line({ id, hit, words, selected, go }: { id: string; hit: Hit; words: string[]; selected: boolean; go: () => void }): VNode {
  const { entry, room } = hit
  const known = findRoom(room)
  const time = Number(entry.time)
  return (
    <li id={id} role="option" aria-selected={selected} onClick={go}>
      <span class="where">
        <Name name={entry.from} />
        {entry.from === me.value && <small>you</small>}
        <small class="in">
          <Icon node={known?.direct ? icons.MessageCircle : icons.Hash} />
          <bdi>{known?.title.value ?? room}</bdi>
          {!known && ', join'}
        </small>
        <time dateTime={new Date(time).toISOString()} title={fullTimeOf(time)}>{dayOf(time)}, {clockOf(time)}</time>
      </span>
      <span class="excerpt" dir="auto">
        {excerpt(entry.text, words).map((part, i) => (i % 2 ? <mark key={i}>{part}</mark> : part))}
      </span>
    </li>
  )
}
