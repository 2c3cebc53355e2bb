/** The client's core, with a server that a test plays: frames go in, frames and events come out. */

import { Decoder, Encoder } from '@msgpack/msgpack'
import { beforeEach, expect, test } from 'vitest'

import { Core } from '../../src/protocol/core'
import type { ClientEvent } from '../../src/protocol/events'
import type { Place } from '../../src/protocol/follow'
import type { Outgoing } from '../../src/protocol/outbox'

const LIMITS = {
  frame_bytes: 65536, frame_bytes_before_login: 4096, text_bytes: 16384, topic_bytes: 1024, name_bytes: 64,
  inflight: 32, requests_per_s: 0, requests_burst: 0, bytes_per_s: 0, bytes_burst: 0, rooms_per_session: 256,
  history_page: 200, list_page: 200, outbox_bytes: 1048576, outbox_ms: 5000, login_ms: 5000, ping_ms: 30000,
  dead_ms: 75000, idle_ms: 86400000,
}
const WELCOME = { version: 1, server: 'klatchd/test', durability: 'memory', capabilities: [], limits: LIMITS, time: 1_800_000_000_000, guests: true, registration: 'open' }
const TOKEN = new Uint8Array(32).fill(7)
const LOGGED_IN = { name: 'ann', guest: true, admin: false, token: TOKEN, hold_ms: 60000, rooms: ['lobby'] }
const state = (seq: number, more: object = {}): object => ({
  room: 'lobby', kind: 'public', epoch: 7, seq, first: 1, topic: '', members: 1, role: 'member', announcement: false, slow_ms: 0, ...more,
})

const encoder = new Encoder()
const decoder = new Decoder()
type Request = { id: number; method: string; params: Record<string, unknown> }

let core: Core
let events: ClientEvent[]
let stored: Outgoing[]
let now: number

function make(places: Place[] = []): void {
  events = []
  now = 1_000_000
  core = new Core({
    identity: { name: 'ann' }, program: 'test', places,
    outbox: { load: () => stored, save: (items) => (stored = [...items]) },
    emit: (event) => events.push(event),
  })
}

beforeEach(() => {
  stored = []
  make()
})

/** What the client sends now. */
function sent(): Request[] {
  const all: Request[] = []
  for (let body; (body = core.next(now)); ) {
    const [, id, method, params] = decoder.decode(body) as [number, number, string, [Record<string, unknown>]]
    all.push({ id, method, params: params[0] })
  }
  return all
}

const event = (name: string, payload: object): boolean => core.receive(encoder.encode([2, name, [payload]]), now)
const answer = (request: Request, result: object): boolean =>
  core.receive(encoder.encode([1, request.id, null, result]), now)
const refuse = (request: Request, code: number, name: string, more: object = {}): boolean =>
  core.receive(encoder.encode([1, request.id, { code, name, text: name, applied: 'no', ...more }, null]), now)
const message = (seq: number, from: string, text: string): boolean =>
  event('message', { room: 'lobby', seq, time: 1, from, text })

/** From the connection to the rooms. */
function comeIn(seq = 0, more: object = {}): Request[] {
  core.opened(now)
  const [hello] = sent()
  expect(hello!.method).toBe('hello')
  answer(hello!, WELCOME)
  const [login] = sent()
  expect(login!.method).toBe('login')
  answer(login!, LOGGED_IN)
  event('room', state(seq, more))
  return [login!, ...sent()]
}

const links = (): string[] => events.flatMap((each) => (each.type === 'link' ? [each.link.phase] : []))
const told = (): number[] =>
  events.flatMap((each) => (each.type === 'entries' ? each.entries.map((entry) => Number(entry.seq)) : []))
const say = (text: string): void => {
  core.say({ key: new Uint8Array(16).fill(text.length), room: 'lobby', text, time: 0 })
}

test('it greets, logs in, and is online when its rooms are entered', () => {
  comeIn()
  expect(links()).toEqual(['settling', 'online'])
  expect(core.online).toBe(true)
})

test('the token goes with the next login', () => {
  comeIn()
  expect(core.lost(now, 0)).toBe(1_000)
  const [login] = comeIn()
  expect(login!.params).toEqual({ name: 'ann', token: TOKEN })
})

test('what was missed while away is fetched, once and in order', () => {
  comeIn(3)
  message(4, 'bob', 'a')
  core.lost(now, 0)
  const [, history] = comeIn(7)
  expect(history).toMatchObject({ method: 'history', params: { room: 'lobby', after: 4 } })
  message(8, 'bob', 'live')
  const entries = [5, 6, 7].map((seq) => ({ seq, time: 1, kind: 'message', from: 'bob', text: 'x' }))
  answer(history!, { epoch: 7, entries, first: 1, head: 8, more: false })
  message(8, 'bob', 'live')
  expect(told()).toEqual([4, 5, 6, 7, 8])
})

test('a text is sent again with the same key, until it is acknowledged', () => {
  comeIn()
  say('hi')
  say('there')
  const [first, ...rest] = sent()
  expect(first!.params).toMatchObject({ text: 'hi' })
  expect(rest).toEqual([])
  core.lost(now, 0)
  make([])
  expect(core.outbox.items.map((item) => item.text)).toEqual(['hi', 'there'])
  const [, again] = comeIn()
  expect(again).toMatchObject({ method: 'say', params: first!.params })
  answer(again!, { seq: 1, time: 1, dup: true })
  const [second] = sent()
  expect(second!.params.text).toBe('there')
  answer(second!, { seq: 2, time: 1, dup: false })
  expect(stored).toEqual([])
  message(1, 'ann', 'hi')
  message(2, 'ann', 'there')
  expect(core.outbox.items).toEqual([])
})

test('a text that must wait is tried again later; one that is refused stays', () => {
  comeIn()
  say('hi')
  let [request] = sent()
  refuse(request!, 404, 'busy', { retry_after_ms: 500 })
  expect(sent()).toEqual([])
  expect(core.deadline()).toBe(now + 500)
  now += 500
  ;[request] = sent()
  refuse(request!, 301, 'not_member')
  now += 60_000
  expect(sent().filter((each) => each.method === 'say')).toEqual([])
  expect(core.outbox.items[0]?.refused?.name).toBe('not_member')
  core.outbox.retry(core.outbox.items[0]!)
  expect(sent()[0]?.method).toBe('say')
})

test('rooms that the server did not keep are joined again', () => {
  make([
    { room: 'garden', epoch: 9, last: 4 },
    { room: '@0123456789abcdef', with: 'bob', epoch: 5, last: 2 },
  ])
  const [, join, direct] = comeIn()
  expect(join).toMatchObject({ method: 'join', params: { room: 'garden' } })
  expect(direct).toMatchObject({ method: 'direct', params: { name: 'bob' } })
  expect(core.online).toBe(false)
  refuse(join!, 303, 'not_found')
  answer(direct!, state(0, { room: '@fedcba9876543210', kind: 'direct', with: 'bob', epoch: 6 }))
  expect(core.online).toBe(true)
  expect(events).toContainEqual(expect.objectContaining({ type: 'gone', room: 'garden' }))
  expect(events).toContainEqual({ type: 'renamed', from: '@0123456789abcdef', to: '@fedcba9876543210' })
})

test('it comes back after a farewell, but not after these', () => {
  const bye = (code: number, name: string, more: object = {}): number | undefined => {
    make()
    comeIn()
    event('bye', { code, name, text: name, resume: true, ...more })
    return core.lost(now, 0.5)
  }
  expect(bye(503, 'going_away', { retry_after_ms: 2_000 })).toBe(3_000)
  expect(bye(410, 'slow_consumer')).toBe(1_500)
  for (const [code, name] of [[0, 'logout'], [206, 'replaced'], [103, 'bad_params']] as const) {
    expect(bye(code, name)).toBeUndefined()
    expect(core.ended).toBe(true)
  }
})

test('a name that is taken is no reason to try again', () => {
  core.opened(now)
  answer(sent()[0]!, WELCOME)
  expect(refuse(sent()[0]!, 212, 'name_taken', { suggestion: 'ann2' })).toBe(false)
  expect(core.lost(now, 0)).toBeUndefined()
  expect(events.at(-1)).toMatchObject({ link: { phase: 'ended', why: { error: { suggestion: 'ann2' } } } })
})

test('silence is asked into, and then taken for the end', () => {
  comeIn()
  now += 30_500
  expect(core.timer(now)).toBe(true)
  expect(sent().map((each) => each.method)).toEqual(['ping'])
  now += 44_499
  expect(core.timer(now)).toBe(true)
  now += 1
  expect(core.timer(now)).toBe(false)
})

test("the server's ping is answered", () => {
  comeIn()
  event('ping', {})
  expect(sent().map((each) => each.method)).toEqual(['ping'])
})

test('what is not understood ends the connection', () => {
  comeIn()
  expect(core.receive(Uint8Array.of(0xc1), now)).toBe(false)
  expect(core.lost(now, 0)).toBe(1_000)
  comeIn()
  expect(event('message', { room: 'lobby', seq: -1, time: 1, from: 'bob', text: 'x' })).toBe(false)
})

test('a method that the server lacks is remembered', () => {
  comeIn()
  core.request('typing', { room: 'lobby', active: true }, () => {})
  refuse(sent()[0]!, 106, 'unknown_method')
  expect(core.supports('typing')).toBe(false)
})

test('no more requests are open than the server takes', () => {
  comeIn()
  for (let i = 0; i < 100; i++) core.request('rooms', {}, () => {})
  expect(sent().length).toBe(30)
  event('ping', {})
  expect(sent().map((each) => each.method)).toEqual(['ping'])
})
