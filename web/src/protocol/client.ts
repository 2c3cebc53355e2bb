/** The client with its WebSocket and its clock: what `core.ts` leaves out. */

import { v7 } from 'uuid'

import type { Method } from './codec'
import { Core, type CoreOptions } from './core'
import type { Deed, Outgoing } from './outbox'
import type { Outcome } from './requests'
import type { Methods } from './spec.gen'

/** The name of the protocol in the WebSocket's handshake. */
export const SUBPROTOCOL = 'klatch.1'

/** Time for a connection to stand. What a browser gives it alone is minutes, on a network that is not there any more. */
const CONNECTING = 15_000
/** When the network is another, a connection that was begun so long ago is begun anew. */
const BEGUN = 2_000

/** The longest that a timer may sleep: what is longer overflows in browsers. */
const LONGEST = 3_600_000

export interface ClientOptions extends CoreOptions {
  /** Where the server's WebSocket is: `wss://host/ws`. */
  url: string
}

/** Where the client of a page finds its server. */
export function urlOf(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'http:' ? 'ws:' : 'wss:'}//${location.host}/ws`
}

export class Client {
  readonly core: Core
  private socket: WebSocket | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private reconnect: ReturnType<typeof setTimeout> | undefined
  private stopped = false
  /** When the connection was begun. */
  private begun = 0

  constructor(private readonly options: ClientOptions) {
    this.core = new Core(options)
  }

  /** Connects, and goes on connecting whenever the connection is lost. */
  start(): void {
    this.stopped = false
    this.connect()
  }

  /** Ends for good, without a farewell. */
  stop(): void {
    this.stopped = true
    clearTimeout(this.reconnect)
    clearTimeout(this.timer)
    this.drop()
  }

  /** The network is back, or the page is seen again: does not wait any longer. */
  wake(): void {
    if (this.stopped || this.core.ended) return
    const stuck = this.socket?.readyState === WebSocket.CONNECTING && Date.now() - this.begun > BEGUN
    if (stuck) this.drop()
    if (!this.socket) this.connect()
    else {
      this.core.probe(Date.now())
      this.pump()
    }
  }

  /** Asks the server. */
  request<M extends Method>(
    method: M,
    params: Methods[M]['params'],
  ): Promise<Outcome<Methods[M]['result']>> {
    return new Promise((resolve) => {
      this.core.request(method, params, resolve)
      this.pump()
    })
  }

  /** Says a text, now or as soon as there is a connection; `re` is the message that it answers. False if
   * too many wait already. */
  say(room: string, text: string, re?: number): boolean {
    return this.send({ room, text, ...(re === undefined ? {} : { re }) })
  }

  /** Edits or deletes the message `re`, or reacts to it with `text`: likewise. */
  change(room: string, deed: Deed, re: number, text = ''): boolean {
    return this.send({ room, text, re, deed })
  }

  private send(what: Omit<Outgoing, 'key' | 'time'>): boolean {
    const time = Date.now()
    // Of version 7, and by the server's clock: then it mostly knows at once that the key is new.
    const key = v7({ msecs: time + this.core.skew }, new Uint8Array(16))
    const taken = this.core.say({ ...what, key, time })
    this.pump()
    return taken
  }

  /** Says again what was refused. */
  retry(item: Outgoing): void {
    this.core.outbox.retry(item)
    this.pump()
  }

  /** Ends the session, and the token with it; with `all`, on every device of the account. */
  logout(all = false): void {
    this.core.logout(all)
    this.pump()
  }

  private connect(): void {
    clearTimeout(this.reconnect)
    this.reconnect = undefined
    this.options.emit({ type: 'link', link: { phase: 'connecting' } })
    const socket = new WebSocket(this.options.url, SUBPROTOCOL)
    socket.binaryType = 'arraybuffer'
    this.socket = socket
    this.begun = Date.now()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.drop(), CONNECTING)
    socket.onopen = () => {
      this.core.opened(Date.now())
      this.pump()
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      // Text is no part of the protocol: an empty body is as malformed.
      const body = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0)
      if (socket === this.socket && !this.core.receive(body, Date.now())) this.drop()
      else this.pump()
    }
    socket.onclose = () => {
      if (socket === this.socket) this.lost()
    }
  }

  /** Closes the connection by our own will; a browser may take its time to say `close`. */
  private drop(): void {
    const socket = this.socket
    if (!socket) return
    this.lost()
    socket.close()
  }

  private lost(): void {
    this.socket = undefined
    clearTimeout(this.timer)
    const wait = this.core.lost(Date.now(), Math.random())
    if (wait !== undefined && !this.stopped) {
      this.reconnect = setTimeout(() => this.connect(), Math.min(wait, LONGEST))
    }
  }

  /** Sends what may go, and sleeps until there is more to do. */
  private pump(): void {
    const { socket } = this
    if (socket?.readyState !== WebSocket.OPEN) return
    for (let body; (body = this.core.next(Date.now())); ) socket.send(body)
    clearTimeout(this.timer)
    const at = this.core.deadline()
    if (at === undefined) return
    this.timer = setTimeout(() => {
      if (!this.core.timer(Date.now())) this.drop()
      else this.pump()
    }, Math.min(Math.max(at - Date.now(), 0), LONGEST))
  }
}
