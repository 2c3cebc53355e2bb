/** Names as they are shown: their colour, their initials, and where they stand in a text. */

/** A hue from 0 to 359 that a name always has. */
export function hueOf(name: string): number {
  let hash = 2166136261
  for (const letter of name.toLowerCase()) {
    hash = Math.imul(hash ^ letter.codePointAt(0)!, 16777619)
  }
  return (hash >>> 0) % 360
}

/** One or two letters for a name's picture. */
export function initialsOf(name: string): string {
  const words = name.split(/[-_. ]+/u).filter(Boolean)
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? '')
  return letters.join('').toUpperCase() || '?'
}

/** Letters, digits and marks: what a name is made of, beside `-`, `_` and `.` inside it. */
const MENTION = /@([\p{L}\p{N}](?:[\p{L}\p{N}\p{M}_.-]*[\p{L}\p{N}\p{M}])?)/gu

/** A text cut at its mentions: every other part is a name with its `@`. */
export function cutAtMentions(text: string): string[] {
  const parts: string[] = []
  let from = 0
  for (const found of text.matchAll(MENTION)) {
    const before = text[found.index - 1]
    // Not in the middle of a word, as in an address of mail.
    if (before !== undefined && /[\p{L}\p{N}_]/u.test(before)) continue
    parts.push(text.slice(from, found.index), found[0])
    from = found.index + found[0].length
  }
  parts.push(text.slice(from))
  return parts
}

/** Whether a text speaks to `name`. */
export function mentions(text: string, name: string): boolean {
  const wanted = `@${name.toLowerCase()}`
  return cutAtMentions(text).some((part, i) => i % 2 === 1 && part.toLowerCase() === wanted)
}
