/** Reads decoded maps as what the declarations say: known fields of the right type, and no others.
 *
 * The notation of `SHAPES`: `bool`, `str`, `u16` (bits), `bin16` (bytes), the name of a map, `32*X`
 * for at most 32 of X, and `?` behind what may be absent. The words of a field are checked as a
 * string: a later server may have more of them, and that must not end the session.
 */

import { SHAPES } from './spec.gen'

/** A value is not of its declared shape. */
export class WrongShape extends Error {}

type Reader = (value: unknown, path: string) => unknown

const readers = new Map<string, Reader>()

/** `value` as the map `name`, with integers as numbers wherever these are exact. */
export function read<T>(name: string, value: unknown): T {
  return reader(name)(value, name) as T
}

function reader(shape: string): Reader {
  let made = readers.get(shape)
  if (!made) readers.set(shape, (made = make(shape)))
  return made
}

const wrong = (path: string, wanted: string): WrongShape =>
  new WrongShape(`${path} is not ${wanted}`)

function make(shape: string): Reader {
  const list = /^(\d+)\*(.+)$/.exec(shape)
  if (list) return listReader(Number(list[1]), list[2]!)
  const sized = /^(u|bin)(\d+)$/.exec(shape)
  if (sized) return sized[1] === 'u' ? uintReader(Number(sized[2])) : binReader(Number(sized[2]))
  if (shape === 'str') return plainReader('string')
  if (shape === 'bool') return plainReader('boolean')
  return mapReader(shape)
}

function plainReader(type: 'string' | 'boolean'): Reader {
  return (value, path) => {
    if (typeof value !== type) throw wrong(path, `a ${type}`)
    return value
  }
}

function uintReader(bits: number): Reader {
  const most = (1n << BigInt(bits)) - 1n
  return (value, path) => {
    const sound =
      typeof value === 'bigint'
        ? value >= 0n && value <= most
        : typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= Number(most)
    if (!sound) throw wrong(path, `an integer of ${bits} bits`)
    return Number(value) <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  }
}

function binReader(length: number): Reader {
  return (value, path) => {
    if (!(value instanceof Uint8Array) || value.length !== length)
      throw wrong(path, `${length} bytes`)
    // A copy: the decoder's value is a view into the whole body.
    return value.slice()
  }
}

function listReader(most: number, item: string): Reader {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > most) throw wrong(path, `a list of at most ${most}`)
    const one = reader(item)
    return value.map((each, i) => one(each, `${path}[${i}]`))
  }
}

function mapReader(name: string): Reader {
  const shape = SHAPES[name]
  if (!shape) throw new WrongShape(`no map is called ${name}`)
  const fields = Object.entries(shape).map(([field, kind]) => ({
    field,
    optional: kind.endsWith('?'),
    kind: kind.replace('?', ''),
  }))
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      throw wrong(path, 'a map')
    const map = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    for (const { field, optional, kind } of fields) {
      const found = Object.hasOwn(map, field) ? map[field] : undefined
      if (found !== undefined && found !== null) {
        out[field] = reader(kind)(found, `${path}.${field}`)
      } else if (!optional) {
        throw wrong(`${path}.${field}`, 'there')
      }
    }
    return out
  }
}
