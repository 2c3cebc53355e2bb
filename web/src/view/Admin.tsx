/** The operator's page: how the server is, who is there, what it refuses, and what one can do about it. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import {
  FIGURES, isFields, limitsOf, metricsOf, rowsOf, run, Series, type Command, type Fields, type Json, type Metric,
} from '../state/admin'
import { admin, me, online } from '../state/chat'
import { goToAdmin } from '../state/place'
import { durationWords } from '../text/time'
import { byteWords, fieldWords, numberWords, valueWords } from '../text/figures'
import { AdminCommand, type Wanted } from './AdminCommand'
import { AdminTable } from './AdminTable'
import { Icon, icons } from './Icon'
import { LinkDot } from './LinkState'
import { Logo } from './Logo'
import { Plot } from './Plot'

import '../style/admin.css'

/** How often figures and lists are asked for. */
const OFTEN = 2_000
const SELDOM = 6_000

/** Lists that have a table of their own, where the server has the command. */
const LISTS = ['sessions', 'rooms', 'bans', 'users'] as const
const TITLES: Record<string, string> = { sessions: 'Live sessions', rooms: 'Rooms', bans: 'Bans', users: 'People' }

export default function Admin(): VNode {
  useEffect(() => {
    const before = document.title
    document.title = 'Operator · Klatch'
    return () => {
      document.title = before
    }
  }, [])
  return (
    <main class="admin">
      <header>
        <Logo />
        <h1>Operator</h1>
        <LinkDot />
        <button type="button" class="quiet" onClick={() => goToAdmin(false)}>
          <Icon node={icons.MessageCircle} /> Back to the chat
        </button>
      </header>
      {admin.value ? <Pages /> : <Denied />}
    </main>
  )
}

function Denied(): VNode {
  // Until the session stands, nobody is known to be anything.
  if (!online.value) return <p role="status">Connecting…</p>
  return (
    <section class="panel">
      <h2>This page is for administrators of the server</h2>
      <p>
        You are here as <bdi class="strong">{me.value}</bdi>. Who runs the server makes an administrator with{' '}
        <code>klatchd admin invite 7 admin</code>.
      </p>
    </section>
  )
}

interface State {
  commands: Command[]
  status?: Fields
  metrics: Metric[]
  lists: Record<string, { rows: Fields[]; leftOut: number; why?: string }>
  why?: string
}

function Pages(): VNode {
  const [state, setState] = useState<State>({ commands: [], metrics: [], lists: {} })
  const [wanted, setWanted] = useState<Wanted>()
  const series = useRef(FIGURES.map((figure) => new Series(figure)))
  const connected = online.value

  const figures = async (): Promise<void> => {
    const [status, metrics] = await Promise.all([run('status'), run('metrics')])
    if (!status.ok || !metrics.ok) {
      const why = status.ok ? (metrics.ok ? undefined : metrics.why) : status.why
      return setState((before) => ({ ...before, ...(why ? { why } : {}) }))
    }
    const all = metricsOf(metrics.answer)
    for (const one of series.current) one.add(all, Date.now())
    setState(({ why: _, ...before }) => ({ ...before, metrics: all, ...(isFields(status.answer) ? { status: status.answer } : {}) }))
  }
  const lists = async (commands: Command[]): Promise<void> => {
    for (const name of LISTS.filter((list) => commands.some(({ command }) => command === list))) {
      const found = await run(name)
      const list = found.ok ? { rows: rowsOf(found.answer), leftOut: found.leftOut } : { rows: [], leftOut: 0, why: found.why }
      setState((before) => ({ ...before, lists: { ...before.lists, [name]: list } }))
    }
  }
  useEffect(() => {
    if (!connected) return undefined
    let timers: ReturnType<typeof setInterval>[] = []
    let stopped = false
    void run('commands').then(async (found) => {
      if (!found.ok || stopped) return
      const commands = rowsOf(found.answer) as unknown as Command[]
      setState((before) => ({ ...before, commands }))
      await Promise.all([figures(), lists(commands)])
      if (stopped) return
      // Who does not look needs no figures.
      const unless = (act: () => void) => (): void => void (document.hidden || act())
      timers = [setInterval(unless(() => void figures()), OFTEN), setInterval(unless(() => void lists(commands)), SELDOM)]
    })
    return () => {
      stopped = true
      timers.forEach(clearInterval)
    }
  }, [connected])

  const { commands, status, metrics, why } = state
  const done = (): void => {
    void figures()
    void lists(commands)
  }
  return (
    <>
      {why && <p class="problem" role="alert">{why}</p>}
      {status && <Tiles status={status} />}
      <section class="panel">
        <h2>Now</h2>
        <div class="plots">{series.current.map((one) => <Plot key={one.figure.title} series={one} />)}</div>
      </section>
      <Limits metrics={metrics} />
      {LISTS.map((name) => {
        const list = state.lists[name]
        const command = commands.find((one) => one.command === name)
        if (!list || !command) return null
        return (
          <AdminTable
            key={name}
            title={TITLES[name]!}
            first={command.first}
            {...list}
            deeds={(row) => deedsOf(name, row, commands)}
            act={setWanted}
          />
        )
      })}
      <Deeds commands={commands} act={setWanted} />
      {status && <Details status={status} />}
      {wanted && <AdminCommand wanted={wanted} close={() => setWanted(undefined)} done={done} />}
    </>
  )
}

/** What can be done about a row: whom the command is about is known. */
function deedsOf(list: string, row: Fields, commands: Command[]): Wanted[] {
  const text = (value: Json | undefined): string | undefined => (typeof value === 'string' && value ? value : undefined)
  const about: Record<string, string | undefined> = {
    sessions: text(row['session']), users: text(row['name']), bans: text(row['banned']),
  }
  const who = about[list]
  const offered: Record<string, string[]> = { sessions: ['kick', 'why', 'ban'], users: ['kick', 'why', 'ban'], bans: ['unban'] }
  return (offered[list] ?? []).flatMap((name) => {
    const command = commands.find((one) => one.command === name)
    if (!command || who === undefined) return []
    // A ban is for a name, or for the address of somebody without one.
    const address = text(row['address'])?.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
    const whom = name === 'ban' && list === 'sessions' ? text(row['name']) ?? address : who
    if (whom === undefined || (name === 'kick' && list === 'users' && row['online'] === false)) return []
    return [{ command, given: { who: whom } }]
  })
}

/** The figures that one looks for first. */
function Tiles({ status }: { status: Fields }): VNode {
  const { uptime_s, connections, rooms, storage_bytes, storage_free_bytes, certificate_warning, version } = status
  const expires = Date.parse(String(status['certificate_expires']))
  const days = Math.floor((expires - Date.now()) / 86_400_000)
  return (
    <dl class="tiles">
      <Tile name="Up for" value={durationWords(Number(uptime_s) * 1_000)} more={`klatchd ${String(version)}`} />
      <Tile name="Connections" {...share(connections)} />
      <Tile name="Rooms" {...share(rooms)} />
      <Tile
        name="Storage"
        value={typeof storage_bytes === 'number' ? byteWords(storage_bytes) : 'none'}
        more={typeof storage_free_bytes === 'number' ? `${byteWords(storage_free_bytes)} free` : ''}
      />
      <Tile
        name="Certificate"
        value={Number.isNaN(days) ? '–' : days > 1_000 ? `${numberWords(Math.floor(days / 365.25))} years` : `${numberWords(days)} days`}
        more={typeof certificate_warning === 'string' ? certificate_warning : 'until it ends'}
        bad={typeof certificate_warning === 'string'}
      />
    </dl>
  )
}

function share(value: Json | undefined): { value: string; more: string; bad?: boolean } {
  if (!isFields(value)) return { value: '–', more: '' }
  const [now, most] = [Number(value['now']), Number(value['most'])]
  return { value: numberWords(now), more: `of ${numberWords(most)}`, bad: now > 0.9 * most }
}

function Tile({ name, value, more, bad = false }: { name: string; value: string; more: string; bad?: boolean }): VNode {
  return (
    <div class={`tile ${bad ? 'bad' : ''}`}>
      <dt>{name}</dt>
      <dd><span>{value}</span><small>{more}</small></dd>
    </div>
  )
}

function Limits({ metrics }: { metrics: Metric[] }): VNode {
  const all = limitsOf(metrics)
  const most = all[0]?.count ?? 1
  return (
    <section class="panel">
      <h2>Limits hit</h2>
      {all.length === 0 ? <p class="help">None since the server started.</p> : (
        <ul class="bars">
          {all.slice(0, 14).map(({ kind, what, count }) => (
            <li key={`${kind} ${what}`}>
              <span><code>{what}</code> <small>{kind}</small></span>
              <span class="bar" style={{ '--share': count / most }} aria-hidden="true" />
              <b>{numberWords(count)}</b>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Commands that are about nothing in a table. */
function Deeds({ commands, act }: { commands: Command[]; act: (wanted: Wanted) => void }): VNode | null {
  const shown = commands.filter(
    ({ command }) => !(LISTS as readonly string[]).includes(command) && !['status', 'metrics', 'commands'].includes(command),
  )
  if (shown.length === 0) return null
  return (
    <section class="panel">
      <h2>Commands</h2>
      <ul class="commands">
        {shown.map((command) => (
          <li key={command.command}>
            <button type="button" onClick={() => act({ command, given: {} })}>
              <b>{command.command}</b>
              <small>{command.help}</small>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Details({ status }: { status: Fields }): VNode {
  return (
    <details class="panel">
      <summary>All about the server</summary>
      <dl class="fields-list">
        {Object.entries(status).filter(([, value]) => value !== null).map(([name, value]) => (
          <div key={name}><dt>{fieldWords(name)}</dt><dd>{valueWords(name, value)}</dd></div>
        ))}
      </dl>
    </details>
  )
}
