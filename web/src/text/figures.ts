/** Figures for people: 1,200 · 3.4 MB · 2 h. */

import { durationWords } from './time'

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 2 })

export const numberWords = (value: number): string => (value < 10 && value > 0 ? short : whole).format(value)

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB']

export function byteWords(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1_000 && unit < UNITS.length - 1) [value, unit] = [value / 1_000, unit + 1]
  return `${unit === 0 ? whole.format(value) : short.format(value)} ${UNITS[unit]}`
}

/** A value of an answer, by the unit at the end of its field's name. */
export function valueWords(name: string, value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') {
    if (name.endsWith('_bytes')) return byteWords(value)
    if (name.endsWith('_s')) return durationWords(value * 1_000)
    return numberWords(value)
  }
  if (typeof value === 'string') return value === '' ? '–' : value
  if (Array.isArray(value)) return value.map((each) => valueWords('', each)).join(', ') || '–'
  const { now, most } = value as { now?: unknown; most?: unknown }
  if (typeof now === 'number' && typeof most === 'number') return `${whole.format(now)} of ${whole.format(most)}`
  return Object.entries(value as object).map(([key, each]) => `${key}: ${valueWords(key, each)}`).join(', ')
}

/** The name of a field, without its unit. */
export const fieldWords = (name: string): string => {
  const words = name.replace(/_(?:s|bytes)$/, '').replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
