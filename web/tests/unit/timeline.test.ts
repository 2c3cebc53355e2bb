/** What a room shows. */

import { expect, test } from 'vitest'

import { Timeline } from '../../src/state/timeline'
import type { Entry } from '../../src/protocol/types'

const entries = (...seqs: number[]): Entry[] =>
  seqs.map((seq) => ({ seq, time: seq, kind: 'message', from: 'bob', text: `${seq}` }))
const page = (...seqs: number[]) => ({ entries: entries(...seqs), head: seqs.at(-1)! })
const shown = (timeline: Timeline): string[] =>
  timeline.items.map((item) =>
    item.kind === 'presence' ? `+${item.joined} -${item.left} ${item.more}`
    : item.kind === 'gap' ? `gap ${item.from}-${item.to}`
    : item.kind === 'note' ? `${item.note.by} ${item.note.what}`
    : `${item.seq}`,
  )

test('pages and live entries meet without a double', () => {
  const timeline = new Timeline()
  timeline.append(entries(7, 8))
  expect(timeline.prepend(page(5, 6, 7), true)).toBe(2)
  timeline.append(entries(8, 9))
  expect(shown(timeline)).toEqual(['5', '6', '7', '8', '9'])
  expect([timeline.firstSeq, timeline.lastSeq]).toEqual([5, 9])
})

test('comings and goings are folded into one line', () => {
  const timeline = new Timeline()
  timeline.append(entries(1))
  timeline.presence(['ann'], [], 0, 10)
  timeline.presence(['eve'], [], 2, 20)
  timeline.presence([], ['ann'], 0, 30)
  expect(shown(timeline)).toEqual(['1', '+eve - 2'])
  timeline.append(entries(2))
  timeline.presence([], ['eve'], 0, 40)
  timeline.presence(['eve'], [], 0, 50)
  expect(shown(timeline)).toEqual(['1', '+eve - 2', '2'])
})

test('a line about many stays short', () => {
  const timeline = new Timeline()
  for (let i = 0; i < 100; i++) timeline.presence([`guest${i}`], [], 0, i)
  expect(timeline.items.length).toBe(1)
  expect(timeline.items[0]).toMatchObject({ more: 36 })
})

test('gaps are shown, and what is trimmed can be loaded again', () => {
  const timeline = new Timeline()
  timeline.prepend(page(1, 2), false)
  timeline.gap(3, 9, 0)
  timeline.append(entries(10, 11))
  expect(shown(timeline)).toEqual(['1', '2', 'gap 3-9', '10', '11'])
  timeline.trim(2)
  expect([shown(timeline), timeline.more]).toEqual([['10', '11'], true])
})

const change = (seq: number, kind: Entry['kind'], re: number, text = '', from = 'bob'): Entry => ({ seq, time: seq, kind, from, re, text })
const only = (timeline: Timeline, seq: number) => timeline.message(seq)!

test('changes are applied once, whether they come live or in a page', () => {
  const timeline = new Timeline()
  timeline.me = 'ann'
  timeline.append(entries(1, 2))
  timeline.append([change(3, 'edit', 1, 'new'), change(4, 'react', 1, '👍'), change(5, 'react', 1, '👍', 'ann')])
  expect(only(timeline, 1)).toMatchObject({ text: 'new', edited: 3, asOf: 5 })
  expect(only(timeline, 1).reactions).toEqual([{ text: '👍', count: 2, names: ['bob', 'ann'], mine: true }])
  timeline.append([change(6, 'unreact', 1, '👍', 'ann'), change(7, 'delete', 2)])
  expect(only(timeline, 1).reactions).toEqual([{ text: '👍', count: 1, names: ['bob'], mine: false }])
  expect(only(timeline, 2)).toMatchObject({ text: '', deleted: 7 })
  // A page that was missed holds its messages as they are, and the changes that made them so.
  const said: Entry = { seq: 8, time: 8, kind: 'message', from: 'bob', text: 'as it is', edited: 9, reactions: [{ text: 'x', count: 40, names: ['bob'] }] }
  timeline.append([said, change(9, 'edit', 8, 'as it is'), change(10, 'react', 8, 'x', 'eve')], 10)
  expect(only(timeline, 8).reactions).toEqual([{ text: 'x', count: 40, names: ['bob'] }])
  timeline.append([change(11, 'react', 8, 'x', 'kim')])
  expect(only(timeline, 8).reactions[0]).toMatchObject({ count: 41, names: ['bob', 'kim'] })
})

test('a page that is older than a change gets it too', () => {
  const timeline = new Timeline()
  timeline.append(entries(9))
  timeline.append([change(10, 'edit', 5, 'since'), change(11, 'delete', 6)])
  timeline.prepend({ entries: entries(5, 6), head: 9 }, true)
  expect([only(timeline, 5).text, only(timeline, 6).text]).toEqual(['since', ''])
  timeline.prepend({ entries: [{ ...entries(4)[0]!, text: 'later still' }], head: 20 }, true)
  expect(only(timeline, 4).text).toBe('later still')
})

test('a jump shows an older part, keeps up with the newest, and joins it again', () => {
  const timeline = new Timeline()
  timeline.prepend(page(90, 91), true)
  timeline.jump({ entries: entries(10, 11, 12), head: 91 }, true, true)
  expect([shown(timeline), timeline.away, timeline.lastSeq]).toEqual([['10', '11', '12'], true, 91])
  timeline.append(entries(92))
  timeline.append([change(93, 'edit', 11, 'x')])
  expect(shown(timeline)).toEqual(['10', '11', '12'])
  expect(only(timeline, 11).text).toBe('x')
  timeline.comeBack()
  expect([shown(timeline), timeline.away]).toEqual([['90', '91', '92'], false])

  timeline.jump({ entries: entries(80, 81), head: 93 }, true, true)
  timeline.append(entries(94))
  timeline.extend({ entries: [...entries(81, 82), change(93, 'edit', 11, 'x')], head: 93 }, false)
  expect(timeline.away).toBe(true)
  timeline.extend({ entries: entries(94), head: 94 }, false)
  expect([shown(timeline), timeline.away]).toEqual([['80', '81', '82', '94'], false])
  timeline.append(entries(94, 95))
  expect(shown(timeline)).toEqual(['80', '81', '82', '94', '95'])
})

test('messages are found among lines that have no seq', () => {
  const timeline = new Timeline()
  timeline.append(entries(1))
  timeline.gap(2, 3, 0)
  timeline.presence(['ann'], [], 0, 0)
  timeline.append(entries(4, 5))
  timeline.note(0, { by: 'ann', what: 'did' })
  expect([1, 4, 5].map((seq) => timeline.message(seq)?.seq)).toEqual([1, 4, 5])
  expect([0, 2, 3, 6].map((seq) => timeline.shows(seq))).toEqual([false, false, false, false])
})
