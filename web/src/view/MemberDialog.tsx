/** What can be done about a member: write to them, and what those may do who keep the room in order. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { openDirect } from '../state/actions'
import { block, blocks, canBlock } from '../state/blocks'
import { current, notice } from '../state/chat'
import { isBelow, listStandings, moderate, moderates, owns, ROLES, type Role } from '../state/moderation'
import type { RoomView } from '../state/room'
import { untilWords } from '../text/time'
import { closeDialog, Dialog, target } from './Dialogs'
import { Form } from './Form'

type Deed = 'kick' | 'ban' | 'mute' | 'block'

const HOUR = 3_600_000
const SPANS: [string, number | undefined][] = [
  ['10 minutes', HOUR / 6], ['1 hour', HOUR], ['1 day', 24 * HOUR], ['1 week', 168 * HOUR], ['For good', undefined],
]
const DEEDS: Record<Deed, { title: string; about: string; button: string; done: string }> = {
  kick: { title: 'Put out', about: 'They may come back; into a private room only with a new invitation.', button: 'Put out', done: 'is put out' },
  ban: { title: 'Ban', about: 'They are put out, and kept out.', button: 'Ban', done: 'is banned' },
  mute: { title: 'Mute', about: 'They read, and do not write.', button: 'Mute', done: 'is muted' },
  block: { title: 'Block', about: 'You write to each other directly no more. In rooms nothing changes. They are not told.', button: 'Block', done: 'is blocked' },
}
/** Those that take a moderator. */
const KEEPING_ORDER: Deed[] = ['kick', 'ban', 'mute']

export function MemberDialog(): VNode | null {
  const [room, name] = [current.value, target.value]
  if (!room || name === undefined) return null
  return <Panel key={name} room={room} name={name} />
}

function Panel({ room, name }: { room: RoomView; name: string }): VNode {
  const [deed, setDeed] = useState<Deed>()
  const [why, setWhy] = useState<string>()
  const role = room.members.value.get(name)?.role ?? 'member'
  const below = isBelow(room, role)
  const muted = useMute(room, name)
  const isBlocked = blocks(name)
  const unblock = async (): Promise<void> => {
    const problem = await block(name, false)
    setWhy(problem)
    if (problem !== undefined) return
    closeDialog()
    notice.value = `${name} may write to you again.`
  }
  const unmute = async (): Promise<void> => {
    const problem = await moderate(room, 'mute', { name, ms: 0 })
    setWhy(problem)
    if (problem !== undefined) return
    closeDialog()
    notice.value = `${name} may write again.`
  }
  const write = async (): Promise<void> => {
    const outcome = await openDirect(name)
    if (outcome.ok) closeDialog()
    else setWhy(outcome.why)
  }
  return (
    <Dialog title={name}>
      {why && <p class="problem" role="alert">{why}</p>}
      {owns(room) && below && <RoleChoice room={room} name={name} role={role} failed={setWhy} />}
      {deed ? (
        <DeedForm key={deed} room={room} name={name} deed={deed} back={() => setDeed(undefined)} />
      ) : (
        <div class="deeds">
          {!isBlocked && room.state.value.with !== name && (
            <button type="button" class="quiet" onClick={() => void write()}>Write a direct message</button>
          )}
          {muted !== undefined && (
            <p class="help">
              Muted {untilWords(muted)}.{' '}
              {below && <button type="button" class="quiet" onClick={() => void unmute()}>Let them write again</button>}
            </p>
          )}
          {[...(below ? KEEPING_ORDER : []), ...(canBlock() && !isBlocked ? ['block' as const] : [])].map((each) => (
            <button key={each} type="button" class="quiet" onClick={() => setDeed(each)}>{DEEDS[each].title}…</button>
          ))}
          {isBlocked && (
            <p class="help">
              You block them.{' '}
              <button type="button" class="quiet" onClick={() => void unblock()}>Unblock</button>
            </p>
          )}
        </div>
      )}
    </Dialog>
  )
}

/** Until when somebody may not write, for those who may know. */
function useMute(room: RoomView, name: string): number | undefined {
  const [until, setUntil] = useState<number>()
  useEffect(() => {
    if (!moderates(room)) return
    void listStandings(room).then((all) => {
      const found = typeof all === 'string' ? undefined : all.find((one) => one.name === name)?.muted_until
      setUntil(found === undefined || Number(found) <= Date.now() ? undefined : Number(found))
    })
  }, [name])
  return until
}

interface RoleProps {
  room: RoomView
  name: string
  role: string
  failed: (why: string | undefined) => void
}

function RoleChoice({ room, name, role, failed }: RoleProps): VNode {
  const set = (wanted: Role): void => void moderate(room, 'rank', { name, role: wanted }).then(failed)
  return (
    <fieldset class="choice">
      <legend>Role in this room</legend>
      <div class="segments">
        {ROLES.map((each) => (
          <label key={each}>
            <input type="radio" name="role" checked={each === role} onChange={() => set(each)} />
            <span>{each.charAt(0).toUpperCase() + each.slice(1)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function DeedForm({ room, name, deed, back }: { room: RoomView; name: string; deed: Deed; back: () => void }): VNode {
  const [span, setSpan] = useState(1)
  const [text, setText] = useState('')
  const { title, about, button, done } = DEEDS[deed]
  const [timed, told] = [deed === 'ban' || deed === 'mute', deed === 'kick' || deed === 'ban']
  const act = (): Promise<string | undefined> => {
    const ms = timed ? SPANS[span]![1] : undefined
    const reason = told ? text.trim() : ''
    const params = { name, ...(ms === undefined ? {} : { ms }), ...(reason ? { text: reason } : {}) }
    return deed === 'block' ? block(name, true) : moderate(room, deed, params)
  }
  const tell = (): void => {
    closeDialog()
    notice.value = `${name} ${done}.`
  }
  return (
    <Form title={title} button={<>{button} <bdi>{name}</bdi></>} danger act={act} done={tell} back={back}>
      <p class="help">{about}</p>
      {timed && (
        <>
          <label for="deed-span">For how long</label>
          <select id="deed-span" value={String(span)} onChange={(event) => setSpan(Number(event.currentTarget.value))}>
            {SPANS.map(([words], i) => <option key={words} value={String(i)}>{words}</option>)}
          </select>
        </>
      )}
      {told && (
        <>
          <label for="deed-text">What they are told about it</label>
          <input
            id="deed-text"
            value={text}
            maxLength={300}
            placeholder="May stay empty"
            autocomplete="off"
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </>
      )}
    </Form>
  )
}
