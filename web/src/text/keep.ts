/** How long a room keeps what is said, in days, messages and MB. */

import type { Uint64 } from '../protocol'
import { byteWords, numberWords } from './figures'
import { durationWords } from './time'

export interface Keep {
  keep_ms?: Uint64 | undefined
  keep_entries?: Uint64 | undefined
  keep_bytes?: Uint64 | undefined
}

/** What one of each is called, and how much of the protocol's unit it is. */
export const KEEPS: { field: keyof Keep; label: string; unit: number; words: (value: number) => string }[] = [
  { field: 'keep_ms', label: 'Days', unit: 86_400_000, words: (ms) => `for ${durationWords(ms)}` },
  { field: 'keep_entries', label: 'Messages', unit: 1, words: (count) => `${numberWords(count)} at most` },
  { field: 'keep_bytes', label: 'MB', unit: 1_000_000, words: (bytes) => `${byteWords(bytes)} at most` },
]

/** As a part of a sentence: "for 30 days, 1,000 at most". Undefined where the server alone decides. */
export function keepWords(keep: Keep): string | undefined {
  const parts = KEEPS.flatMap(({ field, words }) => (keep[field] ? [words(Number(keep[field]))] : []))
  return parts.length > 0 ? parts.join(', ') : undefined
}

/** What is set, as a person writes it; empty where the server alone decides. */
export const typedOf = (keep: Keep): string[] =>
  KEEPS.map(({ field, unit }) => (keep[field] ? String(Number((Number(keep[field]) / unit).toFixed(2))) : ''))

/** What a person wrote, where it is not as it was; 0 leaves it to the server. */
export function keepOf(typed: string[], keep: Keep): Keep {
  const before = typedOf(keep)
  const changed: Keep = {}
  KEEPS.forEach(({ field, unit }, i) => {
    if (typed[i]!.trim() !== before[i]) changed[field] = Math.round((Number(typed[i]) || 0) * unit)
  })
  return changed
}
