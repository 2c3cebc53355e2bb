/** The part of a text in which something was found, cut at what was found. */

/** Letters that are shown before the first word that was found, and in all. */
const BEFORE = 60
const MOST = 240

/** An excerpt of a text in parts: every other one is one of the words. */
export function excerpt(text: string, words: string[]): string[] {
  const flat = text.replace(/\s+/gu, ' ').trim()
  const pattern = patternOf(words)
  const first = pattern ? flat.search(pattern) : -1
  const from = first > BEFORE * 1.5 ? startOfWord(flat, first - BEFORE) : 0
  const part = flat.slice(from, from + MOST)
  const shown = `${from > 0 ? '… ' : ''}${part}${from + MOST < flat.length ? ' …' : ''}`
  // Because of its brackets, what was found comes between the rest.
  return pattern ? shown.split(pattern) : [shown]
}

const startOfWord = (text: string, at: number): number => {
  const space = text.indexOf(' ', at)
  return space >= 0 && space < at + 20 ? space + 1 : at
}

function patternOf(words: string[]): RegExp | undefined {
  const escaped = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  // Longer ones first: of two that begin alike, the whole is marked.
  escaped.sort((a, b) => b.length - a.length)
  return escaped.length > 0 ? new RegExp(`(${escaped.join('|')})`, 'iu') : undefined
}
