/** Requests from the moment they are asked until they are answered.
 *
 * Owns the queues of what is to be sent, the table of what is unanswered, and the credit that the
 * server advertised: requests at once, requests and bytes per second. The client's own requests
 * (`hello`, `ping`, a page that is missing) go before the callers', which wait until it is online.
 */

import { Bucket } from './bucket'
import { encodeRequest, type Method } from './codec'
import type { ErrorBody, Limits, Methods } from './spec.gen'

/** Why a request has no result: the server refused it, or the connection was lost. */
export type Failure =
  | { kind: 'refused'; error: ErrorBody }
  | { kind: 'lost' }
  | { kind: 'broken'; why: string }

export type Outcome<T> = { ok: true; result: T } | { ok: false; failure: Failure }

/** An outcome as it came, before its shape is known. */
type RawOutcome = Outcome<unknown>

interface Pending {
  id: number
  method: Method
  body: Uint8Array<ArrayBuffer>
  done: (outcome: RawOutcome) => void
}

/** Requests that callers may have waiting. */
const WAITING = 512
/** Places that are kept free for the client's own: an answer to `ping` must not wait for texts. */
const RESERVED = 2

export class Requests {
  private own: Pending[] = []
  private queue: Pending[] = []
  private sent = new Map<number, Pending>()
  private lastId = 0
  private inflight = 1
  private counts = new Bucket(0, 0)
  private bytes = new Bucket(0, 0)

  /** Takes over what the server advertised. */
  limit(limits: Limits): void {
    this.inflight = Math.max(1, Number(limits.inflight))
    this.counts = new Bucket(Number(limits.requests_per_s), Number(limits.requests_burst))
    this.bytes = new Bucket(Number(limits.bytes_per_s), Number(limits.bytes_burst))
  }

  /** Queues a request. `own` ones go first. False if there are too many already. */
  push<M extends Method>(
    own: boolean,
    method: M,
    params: Methods[M]['params'],
    done: (outcome: RawOutcome) => void,
  ): boolean {
    if (!own && this.queue.length >= WAITING) return false
    this.lastId = (this.lastId % 0xffff_ffff) + 1
    const id = this.lastId
    const pending = { id, method, body: encodeRequest(id, method, params), done }
    ;(own ? this.own : this.queue).push(pending)
    return true
  }

  /** The next body to send, if one may go now. Callers' requests wait while not `open`. */
  next(now: number, open: boolean): Uint8Array<ArrayBuffer> | undefined {
    const at = this.nextAt(open)
    if (at === undefined || at > now) return undefined
    const pending = this.own.shift() ?? this.queue.shift()!
    this.counts.spend(now, 1)
    this.bytes.spend(now, pending.body.length)
    this.sent.set(pending.id, pending)
    return pending.body
  }

  /** When the next may go; undefined if there is none, or an answer must come first. */
  nextAt(open: boolean): number | undefined {
    const own = this.own[0]
    const pending = own ?? (open ? this.queue[0] : undefined)
    if (!pending) return undefined
    const credit = own ? this.inflight : Math.max(1, this.inflight - RESERVED)
    if (this.sent.size >= credit) return undefined
    return Math.max(this.counts.readyAt(1), this.bytes.readyAt(pending.body.length))
  }

  /** Takes the unanswered request `id` out of the table. */
  answered(id: number): { method: Method; done: (outcome: RawOutcome) => void } | undefined {
    const pending = this.sent.get(id)
    this.sent.delete(id)
    return pending
  }

  /** The connection was lost: everybody is told, and nothing is kept. */
  lost(): void {
    const all = [...this.sent.values(), ...this.own, ...this.queue]
    this.own = []
    this.queue = []
    this.sent.clear()
    for (const pending of all) pending.done({ ok: false, failure: { kind: 'lost' } })
  }
}
