/** What is made of texts: trees, mentions, completions. */

import emoji from 'emojibase-data/en/compact.json' with { type: 'json' }
import { fromMarkdown } from 'mdast-util-from-markdown'
import { expect, test } from 'vitest'

import { completing, fitting } from '../../src/text/complete'
import { excerpt } from '../../src/text/excerpt'
import { isOnlyEmoji, isPlain, options, parse, plain, safeHref } from '../../src/text/markdown'
import { questionOf } from '../../src/text/question'
import { cutAtMentions, initialsOf, mentions } from '../../src/text/names'

/** The kinds of nodes in a tree, outermost first. */
function kinds(text: string): string[] {
  const found: string[] = []
  const walk = (node: { type: string; children?: unknown[] }): void => {
    found.push(node.type)
    node.children?.forEach((child) => walk(child as { type: string }))
  }
  walk(parse(text) as { type: string })
  return found.slice(1)
}

test('Markdown becomes a tree', () => {
  expect(kinds('plain, as it stands')).toEqual(['paragraph', 'text'])
  expect(kinds('**a** _b_ ~~c~~ `d`')).toEqual([
    'paragraph', 'strong', 'text', 'text', 'emphasis', 'text', 'text', 'delete', 'text', 'text', 'inlineCode',
  ])
  expect(kinds('```js\nx\n```')).toEqual(['code'])
  expect(kinds('see https://example.org')).toEqual(['paragraph', 'text', 'link', 'text'])
  expect(kinds('~one~')).toEqual(['paragraph', 'text'])
})

test('HTML and pictures are text', () => {
  for (const text of ['<b>x</b>', '<script>x</script>', '<!-- x -->']) expect(kinds(text)).toEqual(['paragraph', 'text'])
  expect(kinds('![x](https://example.org/x.png)')).not.toContain('image')
})

test('only some links lead somewhere', () => {
  expect(safeHref('https://example.org/?a=b')).toBe('https://example.org/?a=b')
  expect(safeHref('mailto:a@example.org')).toBe('mailto:a@example.org')
  for (const url of ['javascript:x', ' JAVASCRIPT:x', 'java\nscript:x', 'data:text/html,x', 'vbscript:x', 'file:///x', '/x', 'x', '//x', 'blob:https://x', ''])
    expect(safeHref(url)).toBeUndefined()
})

const HOSTILE = [
  '*', '_', '[', '](', '`', '> ', '- ', '<', '&', '![', '**a ', '[a](', '~~', '\\', 'a@b.', 'www.', '*a_',
  'https://a', '1. ', '* a\n ', '>>', 'a*', '[]()', '&a;', '`` ` ', 'a_b ', '\n- ', '\n> a', '- > ', '# ',
]

test.each(HOSTILE)('a long text of %j is read quickly', (part) => {
  for (const [before, after] of [['', ''], ['```\n', ''], ['- a\n  ```\n', ''], [' ~~~\n```\n ~~~\n', ''], ['```a`\n', '']]) {
    // The processor's time, not the clock's: the machine may be busy with other things.
    const began = process.cpuUsage()
    parse(before + part.repeat(Math.floor(16_300 / part.length)) + after)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1_000).toBeLessThan(3_000)
  }
})

test('a text that would be too much is shown as it stands; code is not too much', () => {
  const code = `\`\`\`c\n${'*p++ = a[i] & ~b[j];\n'.repeat(300)}\`\`\``
  expect(kinds(code)).toEqual(['code'])
  expect(kinds('**a** '.repeat(1_000))).toEqual(['paragraph', 'text'])
  expect(kinds('**a** '.repeat(10)).filter((kind) => kind === 'strong').length).toBe(10)
})

test('mentions are words of their own', () => {
  expect(cutAtMentions('hi @ann, and @bob.w.')).toEqual(['hi ', '@ann', ', and ', '@bob.w', '.'])
  expect(cutAtMentions('mail me@example.org')).toEqual(['mail me@example.org'])
  expect(mentions('Hello @Ann!', 'ann')).toBe(true)
  expect(mentions('Hello @anna', 'ann')).toBe(false)
  expect(mentions('Hello ann', 'ann')).toBe(false)
})

test('names have initials', () => {
  expect(['ann', 'jonas.w', 'Ann-Marie', 'åsa', '山田'].map(initialsOf)).toEqual(['A', 'JW', 'AM', 'Å', '山'])
})

test('a few emoji alone are large', () => {
  for (const text of ['👍', '👍🏽 🎉', '👨‍👩‍👧', '☝🏽', '1️⃣', '🇩🇪']) expect(isOnlyEmoji(text), text).toBe(true)
  for (const text of ['ok 👍', '1', '123', '#1', '©', '👍👍👍👍', '', ' ', ' 👍', '🇩', 'x\u{FE0F}', '\u{200D}']) {
    expect(isOnlyEmoji(text), text).toBe(false)
  }
})

test('every emoji that the picker has is one', () => {
  const components = 2
  const known = emoji.filter(({ group }) => group !== undefined && group !== components)
  expect(known.length).toBeGreaterThan(1_800)
  expect(known.filter(({ unicode }) => !isOnlyEmoji(unicode)).map(({ unicode }) => unicode)).toEqual([])
})

test('what stands before the cursor is completed', () => {
  expect(completing('hey @an', 7)).toEqual({ kind: 'mention', from: 4, typed: 'an' })
  expect(completing('hey @an there', 7)).toEqual({ kind: 'mention', from: 4, typed: 'an' })
  expect(completing(':ta', 3)).toEqual({ kind: 'emoji', from: 0, typed: 'ta' })
  for (const text of ['a@b', 'x:ta', ':', ':-)', ':)', '10:30', 'hey @an ']) expect(completing(text, text.length)).toBeUndefined()
})

test('those who spoke lately come first', () => {
  expect(fitting(['anna', 'bob', 'annika', 'hanna'], 'an', ['hanna', 'annika'], 8)).toEqual(['annika', 'anna', 'hanna'])
})

test('what is taken for plain is what the parser would have made of it', () => {
  const parts = [
    'a', 'Zoë', '1', '23', '.', ')', ' ', '  ', '!', '?', ':', '@', '@bob', '#', '-', '+', '=', '|', '/', '(', '"', "'", '%', '$', '^', '{', '}',
    '\t', '*', '_', '`', '[', ']', '<', '>', '&', '\\', '~', '\n', 'http', 's://', 'www', 'w.', 'x@y.z', 'mailto:', 'xmpp:', '👍', '\u00a0', '\u2028', '\r',
  ]
  let seed = 7
  const chance = (most: number): number => (seed = (seed * 16_807) % 2_147_483_647) % most
  const bare = (tree: object): string =>
    JSON.stringify(tree, (key, each: unknown) => (key === 'position' ? undefined : each))
  let plainOnes = 0
  for (let i = 0; i < 20_000; i++) {
    const text = Array.from({ length: 1 + chance(7) }, () => parts[chance(parts.length)]).join('')
    if (!isPlain(text)) continue
    plainOnes += 1
    const [read, made] = [fromMarkdown(text, options), plain(text)].map(bare)
    if (read !== made) expect(read, JSON.stringify(text)).toEqual(made)
  }
  expect(plainOnes).toBeGreaterThan(1_500)
})

test('an excerpt begins near what was found, and cuts the text at it', () => {
  expect(excerpt('a needle', ['needle'])).toEqual(['a ', 'needle', ''])
  expect(excerpt('nothing (marked', ['(x'])).toEqual(['nothing (marked'])
  const long = `${'hay '.repeat(100)}Needle${' hay'.repeat(100)}`
  const parts = excerpt(long, ['need', 'needle'])
  expect(parts[1]).toBe('Needle')
  expect(parts[0]!.startsWith('… hay')).toBe(true)
  expect(parts.join('').length).toBeLessThan(260)
})

test('who said it is a part of the question, and one word must be long enough', () => {
  expect(questionOf('from:@ann  soup today', 'lobby')).toEqual({ text: 'soup today', from: 'ann', room: 'lobby' })
  expect(questionOf('a b', undefined)).toBeUndefined()
  expect(questionOf('from:ann', undefined)).toBeUndefined()
  expect(questionOf('京都', undefined)).toEqual({ text: '京都' })
})
