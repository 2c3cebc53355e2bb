/** The module `virtual:emoji`: of the emoji data only what the picker shows and finds by. */

import { readFileSync } from 'node:fs'

import type { Plugin } from 'vite'

const ID = 'virtual:emoji'

interface Emoji {
  hexcode: string
  label: string
  unicode: string
  group?: number
  order?: number
  tags?: string[]
}

/** Without the sign that asks for colours, where they are shown anyway: one emoji is one text. */
const plain = (unicode: string): string => unicode.replace(/(\p{Emoji_Presentation})\uFE0F/gu, '$1')

export function emoji(): Plugin {
  return {
    name: 'klatch-emoji',
    resolveId: (id) => (id === ID ? `\0${ID}` : null),
    load(id) {
      if (id !== `\0${ID}`) return null
      const read = (file: string): unknown =>
        JSON.parse(
          readFileSync(new URL(`../node_modules/emojibase-data/en/${file}`, import.meta.url), 'utf8'),
        )
      const all = read('compact.json') as Emoji[]
      const codes = read('shortcodes/github.json') as Record<string, string | string[]>
      const list = all
        // Parts that only serve to make others have no group, or that of components.
        .filter((each) => each.group !== undefined && each.group !== 2)
        .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
        .map(({ hexcode, unicode, label, group, tags }) => {
          const short = [codes[hexcode] ?? []].flat().join(' ')
          return [plain(unicode), label, group, short, (tags ?? []).join(' ')]
        })
      return `export default JSON.parse(${JSON.stringify(JSON.stringify(list))})`
    },
  }
}
