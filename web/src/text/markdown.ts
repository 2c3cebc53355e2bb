/** What people write, as a tree: Markdown as CommonMark says, with bare links and ~~struck~~ text,
 * without HTML and pictures. The tree is shown as elements and text nodes, never as markup.
 */

import type { Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmAutolinkLiteralFromMarkdown } from 'mdast-util-gfm-autolink-literal'
import { gfmStrikethroughFromMarkdown } from 'mdast-util-gfm-strikethrough'
import { gfmAutolinkLiteral } from 'micromark-extension-gfm-autolink-literal'
import { gfmStrikethrough } from 'micromark-extension-gfm-strikethrough'

import { isTooMuch } from './effort'

const extensions = [
  gfmAutolinkLiteral(),
  gfmStrikethrough({ singleTilde: false }),
  {
    disable: {
      null: ['htmlFlow', 'htmlText', 'labelStartImage', 'definition', 'setextUnderline', 'codeIndented'],
    },
  },
]

/** How the parser reads. */
export const options = {
  extensions,
  mdastExtensions: [gfmAutolinkLiteralFromMarkdown(), gfmStrikethroughFromMarkdown()],
}

/** Signs that may be markup wherever they stand; and with them addresses, which become links. */
const MARKUP = /[\\`*_~[\]<>&\0\r\n]|:\/\/|www\.|mailto:|xmpp:|[\w.+-]@/i
/** At the beginning or the end of a line more is looked at. */
const EDGE = /^(?:\s|[#+=|-]|\d{1,9}[.)])|\s$/

/** Whether a text is a paragraph as it stands. Most are, and the parser is a hundred times dearer. */
export const isPlain = (text: string): boolean => text !== '' && !EDGE.test(text) && !MARKUP.test(text)

/** Texts that were parsed not long ago: scrolling back and forth parses nothing twice. */
const KEPT = 500
const parsed = new Map<string, Root>()

export function parse(text: string): Root {
  const known = parsed.get(text)
  if (known) return known
  const tree = isPlain(text) || isTooMuch(text) ? plain(text) : fromMarkdown(text, options)
  if (parsed.size >= KEPT) parsed.delete(parsed.keys().next().value!)
  parsed.set(text, tree)
  return tree
}

export function plain(value: string): Root {
  return { type: 'root', children: [{ type: 'paragraph', children: [{ type: 'text', value }] }] }
}

/** What a text says, without its markup: for one line. */
export function onOneLine(text: string): string {
  const of = (node: Nodes): string => {
    if ('value' in node) return node.value
    if (!('children' in node)) return ' '
    const parts: string[] = node.children.map(of)
    return parts.join(BLOCKS.has(node.type) ? ' ' : '')
  }
  return of(parse(text)).replace(/\s+/gu, ' ').trim()
}

const BLOCKS = new Set(['root', 'blockquote', 'list', 'listItem'])

const SAFE = new Set(['http:', 'https:', 'mailto:'])

/** The address of a link that may be followed; undefined if it may not. */
export function safeHref(url: string): string | undefined {
  try {
    const parsed = new URL(url)
    return SAFE.has(parsed.protocol) ? parsed.href : undefined
  } catch {
    return undefined
  }
}

/** What emoji are made of. (`\p{RGI_Emoji}` would say it all, and costs a tenth of a second.) */
const OF_EMOJI = /^[\p{Extended_Pictographic}\p{Emoji_Component}\s]+$/u
/** How one begins that is shown in colours. */
const EMOJI =
  /^(?:\p{RI}{2}|(?!\p{RI})\p{Emoji_Presentation}|\p{Extended_Pictographic}\u{FE0F}|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|[\d#*]\u{FE0F}\u{20E3})/u

/** One to three emoji and nothing else: these are shown large. */
export function isOnlyEmoji(text: string): boolean {
  if (text.length > 60 || !OF_EMOJI.test(text) || !/^\S/.test(text)) return false
  const signs = Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment).filter((sign) => sign.trim())
  return signs.length <= 3 && signs.every((sign) => EMOJI.test(sign))
}
