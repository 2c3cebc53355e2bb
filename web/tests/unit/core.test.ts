/** The client's core, with a server that a test plays: frames go in, frames and events come out. */

import { Decoder, Encoder } from '@msgpack/msgpack'
import { beforeEach, expect, test } from 'vitest'

import { Core } from '../../src/protocol/core'
import type { ClientEvent } from '../../src/protocol/events'
import type { Place } from '../../src/protocol/follow'
import type { Identity } from '../../src/protocol/identity'
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

test('restarts of the server do not add up, but failures do', () => {
  make()
  comeIn()
  const again = (): number | undefined => {
    const wait = core.lost(now, 0)
    comeIn()
    return wait
  }
  for (let i = 0; i < 3; i++) {
    event('bye', { code: 503, name: 'going_away', text: 'x', resume: true, retry_after_ms: 200 })
    expect(again()).toBe(200)
  }
  expect([again(), again()]).toEqual([400, 800])
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

/** From the connection to the request that takes the name. */
function greeted(): Request {
  core.opened(now)
  answer(sent()[0]!, WELCOME)
  return sent()[0]!
}

function identified(identity: Identity, places: Place[] = []): void {
  core = new Core({
    identity, program: 'test', places,
    outbox: { load: () => [], save: () => {} },
    emit: (each) => events.push(each),
  })
}

const ACCOUNT = { ...LOGGED_IN, guest: false }

test('a password is used once, and the token from then on', () => {
  const identity: Identity = { name: 'ann', password: 'correct horse', device: 'a test' }
  identified(identity)
  const login = greeted()
  expect(login).toMatchObject({ method: 'login', params: { name: 'ann', password: 'correct horse', device: 'a test' } })
  answer(login, ACCOUNT)
  expect(identity).toEqual({ name: 'ann', token: TOKEN, account: true, device: 'a test' })
  core.lost(now, 0)
  expect(greeted().params).toEqual({ name: 'ann', token: TOKEN })
})

test('a registration whose answer was lost is first looked for, then repeated', () => {
  identified({ name: 'ann', password: 'correct horse', register: { invite: 'code' } })
  expect(greeted()).toMatchObject({ method: 'register', params: { invite: 'code' } })
  core.lost(now, 0)
  const login = greeted()
  expect(login).toMatchObject({ method: 'login', params: { password: 'correct horse' } })
  refuse(login, 202, 'bad_credentials')
  const [register] = sent()
  expect(register!.method).toBe('register')
  answer(register!, ACCOUNT)
  event('room', state(0))
  expect(core.online).toBe(true)
})

test('who gave a password is told of a refusal, be it a passing one', () => {
  identified({ name: 'ann', password: 'wrong' })
  refuse(greeted(), 400, 'rate', { limit: 'login_failures', retry_after_ms: 30_000 })
  expect(core.lost(now, 0)).toBeUndefined()
  expect(links()).toEqual(['ended'])
})

test('an account is at home where the server says; a guest comes back where it was', () => {
  const place = { room: 'den', epoch: 9, last: 3 }
  identified({ name: 'ann', token: TOKEN, account: true }, [place, { ...place, room: '@1', with: 'bob' }])
  answer(greeted(), ACCOUNT)
  event('room', state(0))
  expect(sent().map(({ method }) => method)).toEqual(['direct'])
  expect(events).toContainEqual({ type: 'removed', room: 'den', reason: 'left', away: true })
  make([place])
  core.opened(now)
  answer(sent()[0]!, WELCOME)
  answer(sent()[0]!, LOGGED_IN)
  // The lobby might be the den by another name.
  expect(sent()).toEqual([])
  event('room', state(0))
  expect(sent().map(({ method }) => method)).toEqual(['join'])
})

test('a room with another name is the same room, now and after a time without a connection', () => {
  const plans = (seq: number, room = 'plans') => event('room', state(seq, { room, epoch: 9 }))
  const entry = (seq: number) => ({ seq, time: 1, kind: 'message', from: 'bob', text: 'x' })
  const heard = () => events.flatMap((each) => (each.type === 'entries' ? [`${each.room} ${each.entries.map(({ seq }) => seq)}`] : []))
  comeIn()
  plans(3)
  event('message', { room: 'plans', ...entry(4) })
  // What is under way by the old name is asked again by the new one.
  core.say({ key: new Uint8Array(16).fill(1), room: 'plans', text: 'hi', time: 0 })
  const [said] = sent()
  event('renamed', { room: 'plans', name: 'dreams', by: 'bob' })
  expect(events.at(-1)).toEqual({ type: 'outbox', room: 'dreams', items: [expect.objectContaining({ text: 'hi' })] })
  expect(events).toContainEqual({ type: 'renamed', from: 'plans', to: 'dreams', by: 'bob' })
  refuse(said!, 303, 'not_found')
  const [again] = sent()
  expect(again!.params).toEqual({ ...said!.params, room: 'dreams' })
  answer(again!, { seq: 5, time: 1, dup: false })
  event('message', { room: 'dreams', ...entry(5) })
  expect(heard()).toEqual(['plans 4', 'dreams 5'])
  expect(stored).toEqual([])

  // Away, there is another name again; and a page that is loaded anew knows only where it was.
  for (const reloaded of [false, true]) {
    core.lost(now, 0)
    if (reloaded) make([{ room: 'lobby', epoch: 7, last: 0 }, { room: 'hall', epoch: 9, last: 7 }])
    events = []
    core.say({ key: new Uint8Array(16).fill(2), room: reloaded ? 'hall' : 'dreams', text: 'later', time: 0 })
    core.opened(now)
    answer(sent()[0]!, WELCOME)
    const name = reloaded ? 'attic' : 'hall'
    answer(sent()[0]!, { ...LOGGED_IN, rooms: ['lobby', name] })
    event('room', state(0))
    plans(reloaded ? 8 : 6, name)
    expect(core.online).toBe(true)
    expect(events).toContainEqual({ type: 'renamed', from: reloaded ? 'hall' : 'dreams', to: name })
    const missed = reloaded ? 8 : 6
    const [history, later, ...none] = sent()
    expect([history, later].map((each) => [each!.method, each!.params.room])).toEqual([['history', name], ['say', name]])
    expect(none).toEqual([])
    answer(history!, { epoch: 9, entries: [entry(missed)], first: 1, head: missed, more: false })
    answer(later!, { seq: missed + 1, time: 1, dup: false })
    event('message', { room: name, ...entry(missed + 1) })
    expect(heard()).toEqual([`${name} ${missed}`, `${name} ${missed + 1}`])
  }
  expect(events.some(({ type }) => type === 'gone' || type === 'removed')).toBe(false)
})

test('a text that was refused before the new name was told is sent by it', () => {
  comeIn()
  say('hi')
  refuse(sent()[0]!, 303, 'not_found')
  expect(core.outbox.items[0]!.refused?.name).toBe('not_found')
  event('renamed', { room: 'lobby', name: 'hall', by: 'bob' })
  expect(sent().map(({ params }) => [params.room, params.text])).toEqual([['hall', 'hi']])
})

test('it is told that it is out of a room, and what happens to its rights', () => {
  comeIn()
  event('ranked', { room: 'lobby', name: 'ann', role: 'owner', by: 'bob' })
  event('invited', { room: 'den', by: 'bob' })
  event('removed', { room: 'lobby', reason: 'banned', by: 'bob', text: 'enough', until: 5 })
  message(1, 'bob', 'not for us')
  expect(events.slice(-3).map(({ type }) => type)).toEqual(['wire', 'invited', 'removed'])
  expect(told()).toEqual([])
})

test('a text that a muted one wrote is not said later by itself; one in slow mode is', () => {
  comeIn()
  say('muted')
  refuse(sent()[0]!, 300, 'denied', { retry_after_ms: 5_000 })
  now += 10_000
  expect(sent()).toEqual([])
  expect(core.outbox.items[0]!.refused?.name).toBe('denied')
  say('slow')
  refuse(sent()[0]!, 400, 'rate', { limit: 'slow_ms', retry_after_ms: 5_000 })
  core.say({ key: new Uint8Array(16).fill(99), room: 'other', text: 'meanwhile', time: 0 })
  expect(sent().map(({ params }) => params.text)).toEqual(['meanwhile'])
  expect(core.deadline()).toBeGreaterThan(now)
  now += 5_000
  expect(sent().map(({ params }) => params.text)).toEqual(['slow'])
})
