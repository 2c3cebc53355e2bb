/** Reads tests/vectors, whose README explains the notation. */

import { readFileSync } from 'node:fs'

/** The vectors of one file. */
export function load<T>(file: string): T[] {
  const url = new URL(`../../../tests/vectors/${file}`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as T[]
}

/** Words of hexadecimal digits as bytes; `61*3` repeats. */
export function bytes(text: string): Uint8Array {
  const words = text.split(' ').filter(Boolean)
  return Uint8Array.from(
    words.flatMap((word) => {
      const [digits = '', times = '1'] = word.split('*')
      const once = digits.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? []
      return Array.from({ length: Number(times) }, () => once).flat()
    }),
  )
}

/** JSON as the value that the codec gives: `$bin` is bytes, `$uint` a bigint. */
export function value(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(value)
  if (typeof json !== 'object' || json === null) return json
  const map = json as Record<string, unknown>
  if (typeof map.$bin === 'string') return bytes(map.$bin)
  if (typeof map.$uint === 'string') return BigInt(map.$uint)
  return Object.fromEntries(Object.entries(map).map(([key, each]) => [key, value(each)]))
}
