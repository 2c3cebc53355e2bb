/** How a room is set, who is let in, and who has a standing there: for those who keep it in order. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { StandingInfo } from '../protocol'
import { current } from '../state/chat'
import { listStandings, moderate, moderates, owns } from '../state/moderation'
import type { RoomView } from '../state/room'
import { keepWords } from '../text/keep'
import { durationWords, untilWords } from '../text/time'
import { Avatar } from './Avatar'
import { closeDialog, Dialog } from './Dialogs'
import { DeleteForm, KeepForm, RenameForm } from './RoomFate'
import { Switch } from './Switch'

/** Pauses of slow mode that are offered, in milliseconds. */
const PAUSES = [0, 5_000, 15_000, 60_000, 300_000, 3_600_000]

/** What one may do to a room as a whole. */
type Deed = 'keep' | 'rename' | 'delete'

export default function RoomSettings(): VNode | null {
  // It is about the room that it was opened in, and ends with it.
  const [room] = useState(() => current.value)
  const over = !room || current.value !== room || !moderates(room)
  useEffect(() => {
    if (over) closeDialog()
  }, [over])
  return over ? null : <Panel room={room} />
}

function Panel({ room }: { room: RoomView }): VNode {
  const [why, setWhy] = useState<string>()
  const [deed, setDeed] = useState<Deed>()
  const { kind, announcement, slow_ms } = room.state.value
  const owner = owns(room)
  const kept = keepWords(room.state.value)
  const set = (params: { private?: boolean; announcement?: boolean; slow_ms?: number }): void => {
    void moderate(room, 'configure', params).then(setWhy)
  }
  const pauses = PAUSES.includes(slow_ms) ? PAUSES : [...PAUSES, slow_ms].sort((a, b) => a - b)
  const back = (): void => setDeed(undefined)
  const title = `Settings of #${room.title.value}`
  if (deed && owner) {
    const Form = { keep: KeepForm, rename: RenameForm, delete: DeleteForm }[deed]
    return <Dialog title={title}><Form room={room} back={back} /></Dialog>
  }
  return (
    <Dialog title={title}>
      {why && <p class="problem" role="alert">{why}</p>}
      {owner && (
        <>
          <Switch on={kind === 'private'} set={(on) => set({ private: on })} title="Private">
            Only those who are invited can see it and come in. Who is in stays in.
          </Switch>
          <Switch on={announcement} set={(on) => set({ announcement: on })} title="Announcements">
            Only moderators and owners write.
          </Switch>
          <label class="switch">
            <span>
              Slow mode
              <small class="help">What a member waits between two messages.</small>
            </span>
            <select value={String(slow_ms)} onChange={(event) => set({ slow_ms: Number(event.currentTarget.value) })}>
              {pauses.map((pause) => (
                <option key={pause} value={String(pause)}>{pause === 0 ? 'Off' : durationWords(pause)}</option>
              ))}
            </select>
          </label>
        </>
      )}
      <div class="switch">
        <span>
          What the room keeps
          <small class="help">{kept === undefined ? 'What the server keeps.' : `Messages ${kept}.`}</small>
        </span>
        {owner && <button type="button" class="quiet" onClick={() => setDeed('keep')}>Change…</button>}
      </div>
      {kind === 'private' && <Invite room={room} />}
      <hr />
      <Standings room={room} />
      {owner && (
        <>
          <hr />
          <div class="deeds">
            <button type="button" class="quiet" onClick={() => setDeed('rename')}>Give it another name…</button>
            <button type="button" class="quiet danger" onClick={() => setDeed('delete')}>Delete the room…</button>
          </div>
        </>
      )}
    </Dialog>
  )
}

function Invite({ room }: { room: RoomView }): VNode {
  const [name, setName] = useState('')
  const [told, setTold] = useState<{ why?: string; done?: string }>({})
  const go = async (): Promise<void> => {
    const wanted = name.trim().replace(/^@/, '')
    if (!wanted) return
    const why = await moderate(room, 'invite', { name: wanted })
    setTold(why === undefined ? { done: wanted } : { why })
    if (why === undefined) setName('')
  }
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault()
        void go()
      }}
    >
      <label for="invite-name">Invite somebody</label>
      <div class="row-of-two">
        <input
          id="invite-name"
          value={name}
          maxLength={32}
          placeholder="Name"
          autocapitalize="none"
          autocomplete="off"
          onInput={(event) => setName(event.currentTarget.value)}
        />
        <button type="submit" class="primary" disabled={!name.trim()}>Invite</button>
      </div>
      {told.why && <p class="problem" role="alert">{told.why}</p>}
      {told.done && <p class="help" role="status"><bdi>{told.done}</bdi> may come in now.</p>}
    </form>
  )
}

function Standings({ room }: { room: RoomView }): VNode {
  const [list, setList] = useState<StandingInfo[]>()
  const [why, setWhy] = useState<string>()
  const look = (): void => {
    void listStandings(room).then((found) => {
      if (typeof found === 'string') setWhy(found)
      else setList(found)
    })
  }
  useEffect(look, [])
  const lift = async (asked: Promise<string | undefined>): Promise<void> => {
    setWhy(await asked)
    look()
  }
  return (
    <section class="standings" aria-label="Roles, bans and mutes">
      <h3>Roles, bans and mutes</h3>
      {why && <p class="problem" role="alert">{why}</p>}
      {!list && !why && <p class="help" role="status">Loading…</p>}
      {list?.length === 0 && <p class="help">Everybody here is a member like any other.</p>}
      <ul>
        {list?.map((one) => (
          <li key={String(one.id)}>
            <Avatar name={one.name} small />
            <span>
              <bdi class="title">{one.name}</bdi>
              <small class="help">{wordsOfStanding(one)}</small>
            </span>
            {one.banned_until !== undefined && (
              <button
                type="button"
                class="quiet"
                aria-label={`Lift the ban of ${one.name}`}
                onClick={() => void lift(moderate(room, 'ban', { name: one.name, ms: 0 }))}
              >
                Lift ban
              </button>
            )}
            {one.muted_until !== undefined && (
              <button
                type="button"
                class="quiet"
                aria-label={`Let ${one.name} write again`}
                onClick={() => void lift(moderate(room, 'mute', { name: one.name, ms: 0 }))}
              >
                Unmute
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function wordsOfStanding(one: StandingInfo): string {
  const parts = [
    one.role !== 'member' && one.role,
    one.banned_until !== undefined && `banned ${untilWords(Number(one.banned_until))}`,
    one.muted_until !== undefined && `muted ${untilWords(Number(one.muted_until))}`,
    one.invited && 'invited',
  ]
  return parts.filter(Boolean).join(', ') || 'member'
}
