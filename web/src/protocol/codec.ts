/** Bodies: requests as bytes, and bytes as responses and events. */

import { Decoder, Encoder } from '@msgpack/msgpack'

import { Malformed, scan } from './scan'
import { read } from './shape'
import { BOUNDS, EVENTS, RESULTS, type ErrorBody, type Events, type Methods } from './spec.gen'

export type Method = keyof Methods

/** An event that this version knows. */
export type WireEvent = {
  [Name in keyof Events]: { name: Name; payload: Events[Name] }
}[keyof Events]

export type Incoming =
  | { kind: 'response'; id: number; error: ErrorBody; result?: never }
  | { kind: 'response'; id: number; error?: never; result: unknown }
  | { kind: 'event'; event: WireEvent }
  | { kind: 'unknown'; name: string }

const encoder = new Encoder({ useBigInt64: true, ignoreUndefined: true })

// The scan has been over the body by then; these bounds only say so a second time.
const decoder = new Decoder({
  useBigInt64: true,
  maxStrLength: BOUNDS.frameBytes,
  maxBinLength: BOUNDS.frameBytes,
  maxArrayLength: BOUNDS.arrayItems,
  maxMapLength: BOUNDS.mapEntries,
  maxExtLength: 0,
  // A map is read by its known fields only; this key would not even be decoded.
  mapKeyConverter: (key) => (key === '__proto__' ? '__proto__ ' : (key as string)),
})

/** A request as a body. */
export function encodeRequest<M extends Method>(
  id: number,
  method: M,
  params: Methods[M]['params'],
): Uint8Array<ArrayBuffer> {
  return encoder.encode([0, id, method, [whole(params)]])
}

/** The encoder writes integers past 32 bits as floats, unless they are big ones. */
function whole(params: object): object {
  const big = (value: unknown): unknown =>
    typeof value === 'number' && value > 0xffff_ffff ? BigInt(value) : value
  return Object.fromEntries(Object.entries(params).map(([key, value]) => [key, big(value)]))
}

/** A body from the server. Throws `Malformed` or `WrongShape` if it is not sound. */
export function decodeIncoming(body: Uint8Array): Incoming {
  const value = decodeBody(body)
  if (!Array.isArray(value)) throw shapeless()
  if (value[0] === 1 && value.length === 4) return response(value[1], value[2], value[3])
  if (value[0] === 2 && value.length === 3) return event(value[1], value[2])
  throw shapeless()
}

/** One sound MessagePack value. */
export function decodeBody(body: Uint8Array): unknown {
  scan(body)
  if (body.length > BOUNDS.frameBytes) throw new Malformed('bad_frame', 'it is too long')
  return decoder.decode(body)
}

/** The result of `method`, as it was in a response. */
export function readResult<M extends Method>(method: M, result: unknown): Methods[M]['result'] {
  return read(RESULTS[method], result)
}

const shapeless = (): Malformed => new Malformed('bad_frame', 'it is no response and no event')

function response(id: unknown, error: unknown, result: unknown): Incoming {
  const number = typeof id === 'bigint' ? Number(id) : id
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffff_ffff)
    throw shapeless()
  if ((error === null) === (result === null)) throw shapeless()
  if (error === null) return { kind: 'response', id: number, result }
  return { kind: 'response', id: number, error: read<ErrorBody>('ErrorBody', error) }
}

function event(name: unknown, payloads: unknown): Incoming {
  if (typeof name !== 'string' || !Array.isArray(payloads) || payloads.length !== 1)
    throw shapeless()
  const map = Object.hasOwn(EVENTS, name) ? EVENTS[name] : undefined
  if (!map) return { kind: 'unknown', name }
  const payload = read(map, payloads[0])
  return { kind: 'event', event: { name, payload } as WireEvent }
}
