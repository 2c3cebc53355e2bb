/** What a room shows. */

import { expect, test } from 'vitest'

import { Timeline } from '../../src/state/timeline'
import type { Entry } from '../../src/protocol/types'

const entries = (...seqs: number[]): Entry[] =>
  seqs.map((seq) => ({ seq, time: seq, kind: 'message', from: 'bob', text: `${seq}` }))
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
  expect(timeline.prepend(entries(5, 6, 7), true)).toBe(2)
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
  timeline.prepend(entries(1, 2), false)
  timeline.gap(3, 9, 0)
  timeline.append(entries(10, 11))
  expect(shown(timeline)).toEqual(['1', '2', 'gap 3-9', '10', '11'])
  timeline.trim(2)
  expect([shown(timeline), timeline.more]).toEqual([['10', '11'], true])
})
