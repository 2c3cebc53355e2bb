/** What stands before the cursor and can be completed: a mention or an emoji. */

export interface Completing {
  kind: 'mention' | 'emoji'
  /** Where it begins, with its sign. */
  from: number
  typed: string
}

export function completing(text: string, cursor: number): Completing | undefined {
  const before = text.slice(0, cursor)
  const found = /(?:^|[\s([{"'])([@:])([\p{L}\p{N}\p{M}_.+-]{0,32})$/u.exec(before)
  if (!found) return undefined
  const [, sign, typed = ''] = found
  // A smiley such as :-) or a lone colon is no search.
  if (sign === ':' && !/^[a-z0-9+]\S/i.test(typed)) return undefined
  return { kind: sign === '@' ? 'mention' : 'emoji', from: cursor - typed.length - 1, typed }
}

/** The names that fit, best first: beginnings before middles, those who spoke lately before others. */
export function fitting(names: Iterable<string>, typed: string, recent: string[], most: number): string[] {
  const wanted = typed.toLowerCase()
  const rank = (name: string): number => {
    const at = recent.indexOf(name)
    return (name.toLowerCase().startsWith(wanted) ? 0 : 10_000) + (at < 0 ? 5_000 : at)
  }
  return [...new Set([...recent, ...names])]
    .filter((name) => name.toLowerCase().includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || a.localeCompare(b))
    .slice(0, most)
}
