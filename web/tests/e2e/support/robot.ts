/** A client without a browser: our own protocol library over TCP. It does what would take people long. */

import { connect, type Socket } from 'node:net'

import { Core, encodeRequest, forgetful, frame, Splitter, type ClientEvent, type Method } from '../../../src/protocol'
import type { Methods } from '../../../src/protocol/spec.gen'

export class Robot {
  private constructor(
    private readonly core: Core,
    private readonly socket: Socket,
  ) {}

  /** Logs in, and waits until the default rooms are entered. */
  static connect(port: number, name: string, more: { password?: string; device?: string } = {}): Promise<Robot> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      const emit = (event: ClientEvent): void => {
        if (event.type === 'link' && event.link.phase === 'online') resolve(robot)
        if (event.type === 'link' && event.link.phase === 'ended') reject(new Error(JSON.stringify(event.link)))
      }
      const core = new Core({ identity: { name, ...more }, program: 'robot', outbox: forgetful, emit })
      const robot = new Robot(core, socket)
      const splitter = new Splitter(65_536)
      socket.setNoDelay(true)
      socket.on('connect', () => {
        core.opened(Date.now())
        robot.pump()
      })
      socket.on('data', (piece: Buffer) => {
        splitter.push(piece, (body) => core.receive(body, Date.now()))
        robot.pump()
      })
      socket.on('close', () => core.lost(Date.now(), 0))
      socket.on('error', reject)
    })
  }

  ask<M extends Method>(method: M, params: Methods[M]['params']): Promise<Methods[M]['result']> {
    return new Promise((resolve, reject) => {
      this.core.request(method, params, (outcome) => {
        if (outcome.ok) resolve(outcome.result)
        else reject(new Error(JSON.stringify(outcome.failure)))
      })
      this.pump()
    })
  }

  /** Says many texts, in order. */
  async sayAll(room: string, texts: string[]): Promise<void> {
    for (let i = 0; i < texts.length; i += 400) {
      await Promise.all(texts.slice(i, i + 400).map((text) => this.ask('say', { room, text })))
    }
  }

  end(): void {
    this.socket.destroy()
  }

  private pump(): void {
    for (let body; (body = this.core.next(Date.now())); ) this.socket.write(frame(body))
  }
}

/** Many who only sit there. Gives a way to send them home. */
export async function crowd(port: number, names: string[]): Promise<() => void> {
  const sockets: Socket[] = []
  const sit = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('connect', () => {
        socket.write(frame(encodeRequest(1, 'hello', { version: 1 })))
        socket.write(frame(encodeRequest(2, 'login', { name })))
      })
      // The first frames answer these two; what follows is nothing to anybody.
      let frames = 0
      const splitter = new Splitter(65_536)
      socket.on('data', (piece: Buffer) => splitter.push(piece, () => (frames += 1) === 2 && resolve()))
      socket.on('error', reject)
    })
  for (let i = 0; i < names.length; i += 100) {
    await Promise.all(names.slice(i, i + 100).map(sit))
  }
  return () => sockets.forEach((socket) => socket.destroy())
}
