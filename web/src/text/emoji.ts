/** Emoji by name. The data is large, and loaded when somebody first asks for it. */

export interface Emoji {
  char: string
  name: string
  group: number
  codes: string[]
  /** All it can be found by, in small letters. */
  words: string
}

export const GROUPS: [number, string, string][] = [
  [0, 'Smileys', '😀'],
  [1, 'People', '👋'],
  [3, 'Nature', '🌿'],
  [4, 'Food', '🍎'],
  [5, 'Travel', '🚲'],
  [6, 'Activities', '⚽'],
  [7, 'Objects', '💡'],
  [8, 'Symbols', '❤️'],
  [9, 'Flags', '🏁'],
]

let loading: Promise<Emoji[]> | undefined
let loaded: Emoji[] | undefined

export function loadEmoji(): Promise<Emoji[]> {
  loading ??= import('virtual:emoji').then(({ default: data }) => {
    loaded = data.map(([char, name, group, codes, tags]) => ({
      char,
      name,
      group,
      codes: codes.split(' ').filter(Boolean),
      words: `${codes} ${name} ${tags}`.toLowerCase(),
    }))
    return loaded
  })
  loading.catch(() => (loading = undefined))
  return loading
}

/** The best for what was typed: what begins so comes before what only holds it. */
export function search(all: Emoji[], typed: string, most: number): Emoji[] {
  const wanted = typed.toLowerCase()
  const begins: Emoji[] = []
  const holds: Emoji[] = []
  for (const each of all) {
    if (each.codes.some((code) => code.startsWith(wanted))) begins.push(each)
    else if (each.words.includes(wanted)) holds.push(each)
  }
  begins.sort((a, b) => shortest(a) - shortest(b))
  return [...begins, ...holds].slice(0, most)
}

const shortest = (emoji: Emoji): number => Math.min(...emoji.codes.map((code) => code.length))

/** `:smile:` as the emoji itself, if the data is there; code stays as it is. */
export function withEmoji(text: string): string {
  if (!loaded || !text.includes(':') || text.includes('`')) return text
  const all = loaded
  return text.replace(/(?<=^|[\s(]):([a-z0-9_+-]+):(?=$|[\s).,!?])/g, (whole, code: string) =>
    all.find((each) => each.codes.includes(code))?.char ?? whole,
  )
}
