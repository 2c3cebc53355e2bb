/** Asks a server what it offers, without taking a name: whether guests may come, who may register. */

import { decodeIncoming, encodeRequest, readResult } from './codec'
import { SUBPROTOCOL } from './client'
import { VERSION, VERSION_MIN } from './spec.gen'
import type { Welcome } from './types'

/** Longer than any answer takes that is still of use. */
const PATIENCE = 15_000

export function greet(url: string, program: string): Promise<Welcome> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL)
    socket.binaryType = 'arraybuffer'
    const timer = setTimeout(() => socket.close(), PATIENCE)
    socket.onopen = () => {
      const hello = { version: VERSION, version_min: VERSION_MIN, client: program }
      socket.send(encodeRequest(1, 'hello', hello))
      socket.send(encodeRequest(2, 'quit', {}))
    }
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      try {
        const incoming = decodeIncoming(new Uint8Array(data as ArrayBuffer))
        if (incoming.kind !== 'response' || incoming.id !== 1) return
        if (incoming.error) throw new Error(incoming.error.text)
        resolve(readResult('hello', incoming.result))
      } catch (error) {
        reject(error)
      }
      socket.close()
    }
    socket.onclose = () => {
      clearTimeout(timer)
      reject(new Error('the server does not answer'))
    }
  })
}
