/** The client without its socket: bodies and times go in; bodies and events come out.
 *
 *     offline ─opened─► greeting ─login answered─► settling ─rooms entered─► online
 *        ▲               hello, login               join what the server      callers' requests
 *        └──── lost ◄─── from any of them           did not keep              flow; catching up
 *
 * It does no input and output, reads no clock and starts no timer: `client.ts` does.
 */

import { Backoff } from './backoff'
import { decodeIncoming, readResult, type Incoming, type Method, type WireEvent } from './codec'
import type { ClientEvent, Link, Why } from './events'
import { Follow, type Place } from './follow'
import { Outbox, requestOf, type Outgoing, type OutboxStore } from './outbox'
import { held, otherWay, wayIn, type Identity } from './identity'
import { hintOf, mayReturn, retryIn } from './refusal'
import { Requests, type Failure, type Outcome } from './requests'
import { VERSION, VERSION_MIN, type Methods } from './spec.gen'
import type { Bye, LoggedIn, RoomState, Said, Welcome } from './types'

export interface CoreOptions {
  identity: Identity
  /** Program and version, for the operator's eyes. */
  program: string
  places?: Place[]
  outbox: OutboxStore
  emit: (event: ClientEvent) => void
}

/** Time for `hello` and `login`. */
const GREETING = 15_000
/** Time until the rooms are entered; after it the callers' requests flow in any case. */
const SETTLING = 5_000
/** A session that lasted so long makes the next wait a short one. */
const STABLE = 60_000
type Phase = 'offline' | 'greeting' | 'settling' | 'online' | 'ended'

export class Core {
  readonly outbox: Outbox
  private readonly follow: Follow
  welcome: Welcome | undefined
  /** What the server's clock is ahead of ours, in milliseconds. */
  skew = 0
  private phase: Phase = 'offline'
  private until = 0
  private since = 0
  private heard = 0
  private pinged = false
  private readonly requests = new Requests()
  private readonly backoff = new Backoff()
  private readonly unknown = new Set<string>()
  private bye: Bye | undefined
  /** Why the connection is given up by the client itself. */
  private cause: Why | undefined
  private now = 0

  constructor(private readonly options: CoreOptions) {
    this.outbox = new Outbox(options.outbox, (room) => this.tellOutbox(room))
    this.follow = new Follow(options.places ?? [], this.outbox, {
      emit: options.emit,
      ask: (method, params, done) => this.own(method, params, done),
      giveUp: (error) => this.giveUp({ kind: 'refused', error }),
      settled: () => this.phase === 'settling' && this.settled(),
    })
  }

  get online(): boolean {
    return this.phase === 'online'
  }

  get ended(): boolean {
    return this.phase === 'ended'
  }

  /** Whether the server is not known to lack a method. */
  supports(method: string): boolean {
    return !this.unknown.has(method)
  }

  /** The connection stands: says hello. */
  opened(now: number): void {
    this.now = this.heard = now
    this.pinged = false
    this.bye = this.cause = undefined
    this.phase = 'greeting'
    this.until = now + GREETING
    const hello = { version: VERSION, version_min: VERSION_MIN, client: this.options.program }
    this.own('hello', hello, (outcome) => {
      if (outcome.ok) this.welcomed(outcome.result)
      else this.notGreeted(outcome.failure)
    })
  }

  /** A body has come. False if the connection is to be closed. */
  receive(body: Uint8Array, now: number): boolean {
    this.now = this.heard = now
    this.pinged = false
    try {
      this.incoming(decodeIncoming(body))
    } catch (error) {
      this.giveUp({ kind: 'broken', text: error instanceof Error ? error.message : String(error) })
    }
    if (this.online) this.follow.catchUp(() => this.now)
    return this.cause === undefined
  }

  /** The connection is gone. Gives the milliseconds to wait, or undefined if that was all. */
  lost(now: number, jitter: number): number | undefined {
    if (this.phase === 'ended') return undefined
    this.now = now
    const why: Why = this.cause ?? (this.bye ? { kind: 'bye', bye: this.bye } : { kind: 'network' })
    // A server that restarts twice in a minute has not failed.
    const orderly = why.kind === 'bye' && why.bye.name === 'going_away'
    if (this.phase === 'online' && (orderly || now - this.since >= STABLE)) this.backoff.reset()
    this.phase = 'offline'
    this.outbox.lost()
    this.requests.lost()
    this.follow.lost()
    // A person who gave a password is asked again, and does not wait in the dark.
    const interactive = why.kind === 'refused' && this.options.identity.password !== undefined
    if (!mayReturn(why) || interactive) {
      this.phase = 'ended'
      this.link({ phase: 'ended', why })
      return undefined
    }
    const wait = this.backoff.next(hintOf(why), jitter)
    this.link({ phase: 'waiting', why, at: now + wait })
    return wait
  }

  /** Time has passed. False if the connection is to be closed. */
  timer(now: number): boolean {
    this.now = now
    if (this.phase === 'greeting' && this.until <= now) this.giveUp({ kind: 'silent' })
    if (this.phase === 'settling' && this.until <= now) this.settled()
    const silence = this.silence()
    if (silence && silence.dead <= now) this.giveUp({ kind: 'silent' })
    else if (silence && silence.ping <= now && !this.pinged) {
      this.pinged = true
      this.own('ping', {}, () => {})
    }
    if (this.online) this.follow.catchUp(() => this.now)
    return this.cause === undefined
  }

  /** Is the server still there? Asked after sleep, or when the network has changed. */
  probe(now: number): void {
    if (this.phase === 'online' && !this.pinged) {
      this.heard = Math.min(this.heard, now - Number(this.welcome?.limits.dead_ms ?? 0) + 5_000)
      this.timer(now)
    }
  }

  /** When `timer` or `next` has something to do. */
  deadline(): number | undefined {
    const silence = this.silence()
    const times = [
      this.phase === 'greeting' || this.phase === 'settling' ? this.until : undefined,
      silence && (this.pinged ? silence.dead : silence.ping),
      this.phase === 'offline' || this.phase === 'ended' ? undefined : this.requests.nextAt(this.online),
      ...(this.online
        ? [this.outbox.retryAt(), ...this.follow.retryTimes()]
        : []),
    ].filter((time) => time !== undefined)
    return times.length > 0 ? Math.min(...times) : undefined
  }

  /** The next body to send, if one may go now. */
  next(now: number): Uint8Array<ArrayBuffer> | undefined {
    this.now = now
    if (this.phase === 'offline' || this.phase === 'ended') return undefined
    if (this.online) this.sayNext()
    return this.requests.next(now, this.online)
  }

  /** A caller's request. It waits for its turn, but not for a lost connection. */
  request<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    done: (outcome: Outcome<Methods[M]['result']>) => void,
  ): void {
    if (this.phase === 'offline' || this.phase === 'ended') {
      done({ ok: false, failure: { kind: 'lost' } })
    } else if (!this.ask(false, method, params, done)) {
      done({ ok: false, failure: { kind: 'broken', why: 'too many requests are waiting' } })
    }
  }

  /** Says a text, now or as soon as there is a connection. False if too many wait already. */
  say(item: Outgoing): boolean {
    if (this.outbox.full) return false
    this.outbox.add(item)
    return true
  }

  /** Leaves for good: the token is void then, and with `all` those of the account's other devices. */
  logout(all = false): void {
    if (this.phase === 'offline' || this.phase === 'ended') return
    this.ask(true, 'logout', all ? { all } : {}, () => {})
  }

  private welcomed(welcome: Welcome): void {
    if (welcome.version < VERSION_MIN || welcome.version > VERSION) {
      this.giveUp({ kind: 'broken', text: `version ${welcome.version} was not offered` })
      return
    }
    this.welcome = welcome
    this.skew = Number(welcome.time) - this.now
    this.requests.limit(welcome.limits)
    this.takeName()
  }

  private takeName(): void {
    const { identity } = this.options
    const { method, params } = wayIn(identity)
    this.own(method, params, (outcome) => {
      if (outcome.ok) this.loggedIn(outcome.result)
      else if (otherWay(identity, method, outcome.failure)) this.takeName()
      else this.notGreeted(outcome.failure)
    })
  }

  private notGreeted(failure: Failure): void {
    if (failure.kind === 'refused') this.giveUp({ kind: 'refused', error: failure.error })
  }

  /** The name is held. What the server does not put the client back into, it enters itself. */
  private loggedIn(login: LoggedIn): void {
    held(this.options.identity, login)
    this.options.emit({ type: 'named', login, welcome: this.welcome! })
    this.phase = 'settling'
    this.until = this.now + SETTLING
    this.link({ phase: 'settling' })
    this.follow.comeBack(login.rooms, !login.guest)
  }

  private settled(): void {
    this.phase = 'online'
    this.since = this.now
    this.follow.settled()
    this.link({ phase: 'online' })
  }

  private incoming(incoming: Incoming): void {
    if (incoming.kind === 'event') return this.event(incoming.event)
    if (incoming.kind === 'unknown') return
    const pending = this.requests.answered(incoming.id)
    if (!pending) throw new Error(`request ${incoming.id} is not open`)
    if (incoming.error) {
      if (incoming.error.name === 'unknown_method') this.lacks(pending.method)
      pending.done({ ok: false, failure: { kind: 'refused', error: incoming.error } })
    } else {
      pending.done({ ok: true, result: incoming.result })
    }
  }

  private lacks(method: Method): void {
    this.unknown.add(method)
    this.options.emit({ type: 'unsupported', method })
  }

  private event(event: WireEvent): void {
    switch (event.name) {
      case 'message':
      case 'topic':
      case 'edit':
      case 'delete':
      case 'react':
      case 'unreact': {
        const { room, ...entry } = event.payload
        this.follow.rooms.get(room)?.live({ text: '', ...entry, kind: event.name })
        return
      }
      case 'room':
        this.follow.enter(event.payload)
        return this.follow.settle(event.payload.room)
      case 'ping':
        return this.own('ping', {}, () => {})
      case 'bye':
        this.bye = event.payload
        return
      case 'removed': {
        const { room } = event.payload
        if (this.follow.rooms.has(room)) this.follow.removed(event.payload)
        return this.follow.settle(room)
      }
      case 'invited':
        return this.options.emit({ type: 'invited', ...event.payload })
      case 'renamed':
        return this.follow.renamed(event.payload.room, event.payload.name, event.payload.by)
      case 'joined':
      case 'left':
      case 'typing':
      case 'configured':
      case 'ranked':
      case 'read':
        if (this.follow.rooms.has(event.payload.room)) this.options.emit({ type: 'wire', ...event })
    }
  }

  private sayNext(): void {
    for (let item; (item = this.outbox.next(this.now)); ) {
      const said = item
      const { method, params } = requestOf(said)
      this.ask(true, method, params, (outcome: Outcome<Said>) => {
        if (outcome.ok) {
          const seq = Number(outcome.result.seq)
          this.outbox.acknowledged(said, seq)
          this.outbox.told(said.room, this.follow.rooms.get(said.room)?.last ?? Infinity)
        } else if (outcome.failure.kind === 'refused') {
          const { error } = outcome.failure
          // Asked by a name that the room has no more: asked again by the new one.
          if (params.room !== said.room) return this.outbox.refused(said, error, 0, this.now)
          this.outbox.refused(said, error, retryIn(error), this.now)
          this.options.emit({ type: 'refused', room: said.room, error, item: said })
        }
      })
    }
  }

  private own<M extends Method>(
    method: M,
    params: Methods[M]['params'],
    done: (outcome: Outcome<Methods[M]['result']>) => void,
  ): void {
    this.ask(true, method, params, done)
  }

  private ask<M extends Method>(
    own: boolean,
    method: M,
    params: Methods[M]['params'],
    done: (outcome: Outcome<Methods[M]['result']>) => void,
  ): boolean {
    return this.requests.push(own, method, params, (outcome) => {
      if (!outcome.ok) return done(outcome)
      const result = readResult(method, outcome.result)
      this.note(method, params, result)
      done({ ok: true, result })
    })
  }

  /** What an answer changes for the client itself. */
  private note<M extends Method>(method: M, params: Methods[M]['params'], result: unknown): void {
    if (this.phase !== 'online') return
    if (method === 'join' || method === 'create' || method === 'direct') this.follow.enter(result as RoomState)
    if (method === 'leave') this.follow.gone((params as { room: string }).room)
  }

  private silence(): { ping: number; dead: number } | undefined {
    if (!this.welcome || this.phase === 'offline' || this.phase === 'ended') return undefined
    // The server pings first; these are for when it does not, and never absurdly short.
    const ping = Math.max(1_000, Number(this.welcome.limits.ping_ms))
    const dead = Math.max(2 * ping, Number(this.welcome.limits.dead_ms))
    return { ping: this.heard + ping + 500, dead: this.heard + dead }
  }

  private giveUp(why: Why): void {
    this.cause ??= why
  }

  private link(link: Link): void {
    this.options.emit({ type: 'link', link })
  }

  private tellOutbox(room: string): void {
    const items = this.outbox.items.filter((item) => item.room === room)
    this.options.emit({ type: 'outbox', room, items })
  }
}
