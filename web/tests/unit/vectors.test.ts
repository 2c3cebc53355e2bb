/** The protocol's vectors, as every client must read them. */

import { Decoder } from '@msgpack/msgpack'
import { expect, test } from 'vitest'

import { decodeBody, decodeIncoming, encodeRequest, readResult, type Method } from '../../src/protocol/codec'
import { BadFrame, frame, Splitter } from '../../src/protocol/frame'
import { Malformed } from '../../src/protocol/scan'
import { bytes, load, value } from './vectors'

interface Request { name: string; bytes: string; id: number; method: Method; params: object; canonical: boolean }
interface Event { name: string; bytes: string; event: string | null; payload: object | null }
interface Response { name: string; bytes: string; id: number; method?: Method; result?: object; error?: object }
interface Hostile { name: string; bytes: string; outcome: 'accepted' | { refused: string } | { malformed: string } }
interface Frames { name: string; allowed: number; bytes: string; bodies: string[]; end: 'whole' | { missing: number } | { error: string } }

test.each(load<Request>('requests.json'))('a request: $name', (vector) => {
  const body = bytes(vector.bytes)
  const params = value(vector.params)
  const read = new Decoder({ useBigInt64: true }).decode(
    encodeRequest(vector.id, vector.method, params as never),
  )
  // What is past 32 bits is an integer on the wire, too, which this decoder gives as a big one.
  const wire = Object.entries(params as object).map(([key, each]: [string, unknown]) => [
    key, typeof each === 'number' && each > 0xffff_ffff ? BigInt(each) : each,
  ])
  expect(read).toEqual([0, vector.id, vector.method, [Object.fromEntries(wire)]])
  // Servers may write them in any of these ways; we read them all.
  const seen = decodeBody(body) as unknown[]
  expect(Number(seen[1])).toBe(vector.id)
  expect(seen[2]).toBe(vector.method)
})

test.each(load<Event>('events.json'))('an event: $name', (vector) => {
  const incoming = decodeIncoming(bytes(vector.bytes))
  if (vector.event === null) return expect(incoming.kind).toBe('unknown')
  expect(incoming).toEqual({
    kind: 'event',
    event: { name: vector.event, payload: value(vector.payload) },
  })
})

test.each(load<Response>('responses.json'))('a response: $name', (vector) => {
  const incoming = decodeIncoming(bytes(vector.bytes))
  if (incoming.kind !== 'response') throw new Error(incoming.kind)
  expect(incoming.id).toBe(vector.id)
  if (vector.error) expect(incoming.error).toEqual(value(vector.error))
  else expect(readResult(vector.method!, incoming.result)).toEqual(value(vector.result))
})

test.each(load<Hostile>('hostile.json'))('a hostile body: $name', (vector) => {
  const { outcome } = vector
  const read = (): unknown => decodeIncoming(bytes(vector.bytes))
  // These are requests or nearly so: a client, too, must take none for an answer or an event.
  if (typeof outcome === 'object' && 'malformed' in outcome) {
    expect(read).toThrow(Malformed)
    expect(codeOf(read)).toBe(outcome.malformed)
  } else {
    expect(() => decodeBody(bytes(vector.bytes))).not.toThrow()
    expect(read).toThrow()
  }
})

function codeOf(read: () => unknown): string {
  try {
    read()
    return 'nothing'
  } catch (error) {
    return error instanceof Malformed ? error.code : String(error)
  }
}

test.each(load<Frames>('frames.json'))('a stream: $name', (vector) => {
  const stream = bytes(vector.bytes)
  const wanted = vector.bodies.map(bytes)
  for (let at = 0; at <= stream.length; at++) {
    if (Math.min(at, stream.length - at) >= 64) continue
    const bodies: Uint8Array[] = []
    const end = split([stream.subarray(0, at), stream.subarray(at)], vector.allowed, bodies)
    expect(bodies.length).toBe(wanted.length)
    bodies.forEach((body, i) => expect(Buffer.compare(body, wanted[i]!)).toBe(0))
    expect(end).toEqual(vector.end)
  }
})

function split(pieces: Uint8Array[], allowed: number, bodies: Uint8Array[]): Frames['end'] {
  const splitter = new Splitter(allowed)
  try {
    for (const piece of pieces) splitter.push(piece, (body) => bodies.push(body.slice()))
  } catch (error) {
    if (error instanceof BadFrame) return { error: error.code }
    throw error
  }
  return splitter.missing === 0 ? 'whole' : { missing: splitter.missing }
}

test('a frame has its length in front', () => {
  expect([...frame(Uint8Array.of(0xc0, 0xc1))]).toEqual([0, 0, 0, 2, 0xc0, 0xc1])
})

test.each([0, 0xffff_ffff, 2 ** 32, Number.MAX_SAFE_INTEGER])('an integer is written as one: %d', (after) => {
  const body = encodeRequest(1, 'members', { room: 'lobby', after })
  const [, , , [params]] = new Decoder({ useBigInt64: true }).decode(body) as [0, 1, string, [{ after: number | bigint }]]
  expect(Number(params.after)).toBe(after)
  expect(Buffer.from(body).includes(0xcb)).toBe(false)
})
