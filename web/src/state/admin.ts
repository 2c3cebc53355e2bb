/** What those see and do who run the server: the commands of `klatchd admin`, asked over the session. */

import { wordsFor } from './actions'
import { theClient } from './chat'

/** A value of an answer, as JSON has it. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type Fields = { [key: string]: Json }

export interface Parameter {
  name: string
  value: string
  help: string
  required: boolean
}

export interface Command {
  command: string
  help: string
  parameters: Parameter[]
  /** The fields that its answer begins with. */
  first: string[]
}

export type Answer = { ok: true; answer: Json; leftOut: number } | { ok: false; why: string; answer?: Json }

export async function run(command: string, given: Record<string, string> = {}): Promise<Answer> {
  const outcome = await theClient()?.request('admin', { command, arguments: JSON.stringify(given) })
  if (!outcome) return { ok: false, why: 'There is no connection right now.' }
  if (!outcome.ok) return { ok: false, why: wordsFor(outcome.failure) }
  const { answer, failed, left_out: leftOut } = outcome.result
  try {
    const parsed = JSON.parse(answer) as Json
    return failed === undefined ? { ok: true, answer: parsed, leftOut } : { ok: false, why: failed, answer: parsed }
  } catch {
    return { ok: false, why: 'The server answers nonsense.' }
  }
}

export const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The rows of an answer that is a list. */
export const rowsOf = (value: Json | undefined): Fields[] => (Array.isArray(value) ? value.filter(isFields) : [])

/** Commands that only look: they need no confirmation. */
const LOOKS = new Set(['status', 'sessions', 'rooms', 'users', 'bans', 'why', 'usage', 'metrics', 'commands'])
export const onlyLooks = (command: string): boolean => LOOKS.has(command)
/** And those that take nothing from anybody. All others are shown as what they are. */
const GIVES = new Set(['invite', 'unban', 'reload'])
export const isHarsh = (command: string): boolean => !onlyLooks(command) && !GIVES.has(command)

/** A line of the metrics. */
export interface Metric {
  name: string
  labels: Record<string, string>
  value: number
}

export function metricsOf(answer: Json): Metric[] {
  return rowsOf(answer).flatMap(({ metric, value }) => {
    const found = typeof metric === 'string' ? /^([\w:]+)(?:\{(.*)\})?$/.exec(metric) : null
    if (!found || typeof value !== 'number') return []
    const labels = [...(found[2] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, key, word]) => [key, word])
    return [{ name: found[1]!.replace(/^klatch_/, ''), labels: Object.fromEntries(labels) as Record<string, string>, value }]
  })
}

/** The sum over all labels. */
export const total = (all: Metric[], name: string): number =>
  all.reduce((sum, metric) => (metric.name === name ? sum + metric.value : sum), 0)

export interface Figure {
  title: string
  unit: string
  /** The metric; of one that counts, its growth per second is shown. */
  of: (all: Metric[]) => number
  rate: boolean
  /** Bytes are shown in larger units. */
  bytes?: true
}

export const FIGURES: Figure[] = [
  { title: 'Sessions with a name', unit: '', of: (all) => total(all, 'sessions_named'), rate: false },
  { title: 'Connections', unit: '', of: (all) => total(all, 'connections_admitted'), rate: false },
  { title: 'Messages', unit: '/s', of: (all) => total(all, 'messages_total'), rate: true },
  { title: 'Deliveries', unit: '/s', of: (all) => total(all, 'deliveries_total'), rate: true },
  { title: 'Requests', unit: '/s', of: (all) => total(all, 'requests_total'), rate: true },
  { title: 'Sent', unit: '/s', of: (all) => total(all, 'sent_bytes_total'), rate: true, bytes: true },
  { title: 'Received', unit: '/s', of: (all) => total(all, 'received_bytes_total'), rate: true, bytes: true },
  { title: 'Commits', unit: '/s', of: (all) => total(all, 'commits_total'), rate: true },
  { title: 'Refusals', unit: '/s', of: (all) => total(all, 'refusals_total'), rate: true },
]

/** Moments that a plot shows. */
export const KEPT = 120

/** What was measured, the newest last. */
export class Series {
  readonly points: number[] = []
  private last: { value: number; at: number } | undefined

  constructor(readonly figure: Figure) {}

  add(all: Metric[], at: number): void {
    const value = this.figure.of(all)
    const { last } = this
    this.last = { value, at }
    if (!this.figure.rate) this.points.push(value)
    // A counter that went back is that of a server that was restarted.
    else if (last && at > last.at && value >= last.value) this.points.push(((value - last.value) * 1_000) / (at - last.at))
    if (this.points.length > KEPT) this.points.shift()
  }
}

/** The limits that were met and what was refused for other reasons, the most frequent first. */
export function limitsOf(all: Metric[]): { kind: string; what: string; count: number }[] {
  const kinds: Record<string, string> = {
    limits_met_total: 'limit met', connections_denied_total: 'connection not admitted',
    refusals_total: 'request refused', byes_total: 'session ended',
  }
  return all
    .flatMap(({ name, labels, value }) => {
      const kind = kinds[name]
      const what = labels['limit'] ?? labels['code']
      return kind && what && value > 0 && what !== 'logout' ? [{ kind, what, count: value }] : []
    })
    .sort((a, b) => b.count - a.count)
}
