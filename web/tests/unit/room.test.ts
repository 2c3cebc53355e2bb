/** A room's order: nothing told twice, nothing lost silently. */

import { beforeEach, expect, test } from 'vitest'

import { Room } from '../../src/protocol/room'
import type { Entry, HistoryPage, RoomState } from '../../src/protocol/types'

let told: string[]
const sink = {
  entries: (entries: Entry[], head?: number) =>
    told.push(`${head === undefined ? 'live' : 'page'} ${entries.map((entry) => entry.seq).join(' ')}`),
  gap: (from: number, to: number) => told.push(`gap ${from}-${to}`),
  reset: () => told.push('reset'),
}

const state = (seq: number, more: Partial<RoomState> = {}): RoomState => ({
  room: 'lobby', kind: 'public', epoch: 7, seq, first: 1, topic: '', members: 1,
  role: 'member', announcement: false, slow_ms: 0, ...more,
})
const entry = (seq: number): Entry => ({ seq, time: 0, kind: 'message', from: 'bob', text: `${seq}` })
const page = (seqs: number[], head: number, more: Partial<HistoryPage> = {}): HistoryPage => ({
  epoch: 7, entries: seqs.map(entry), first: 1, head, more: false, ...more,
})

beforeEach(() => (told = []))

test('live entries are told once and in order', () => {
  const room = new Room(state(3), sink)
  for (const seq of [3, 4, 4, 5]) room.live(entry(seq))
  expect(told).toEqual(['live 4', 'live 5'])
  expect(room.wantsPage(0)).toBeUndefined()
})

test('what was missed is fetched before what came meanwhile', () => {
  const room = new Room(state(3), sink)
  room.lost()
  room.enter(state(6))
  room.live(entry(7))
  room.live(entry(8))
  expect(room.wantsPage(0)).toBe(3)
  room.fetchStarted()
  expect(room.wantsPage(0)).toBeUndefined()
  room.page(page([4, 5, 6], 8))
  expect(told).toEqual(['page 4 5 6', 'live 7 8'])
  expect(room.behind).toBe(false)
})

test('a hole in the live entries is filled from the history', () => {
  const room = new Room(state(3), sink)
  room.live(entry(6))
  expect(told).toEqual([])
  expect(room.wantsPage(0)).toBe(3)
  room.fetchStarted()
  room.page(page([4, 5, 6, 7], 7))
  expect(told).toEqual(['page 4 5 6 7'])
})

test('entries that the server has no more are told as a gap', () => {
  const room = new Room(state(3), sink)
  room.enter(state(20, { first: 10 }))
  expect(told).toEqual(['gap 4-9'])
  room.fetchStarted()
  room.page(page([12, 13], 20, { first: 12 }))
  expect(told).toEqual(['gap 4-9', 'gap 10-11', 'page 12 13'])
})

test('another epoch, or a seq that went back, begins anew', () => {
  const room = new Room(state(3), sink)
  room.enter(state(5, { epoch: 8 }))
  expect(told).toEqual(['reset'])
  expect([room.epoch, room.last]).toEqual([8, 5])
  room.enter(state(2, { epoch: 8 }))
  expect(told).toEqual(['reset', 'reset'])
})

test('too much to catch up with begins anew', () => {
  const room = new Room(state(3), sink)
  room.enter(state(5_000))
  expect(told).toEqual(['reset'])
  expect(room.last).toBe(5_000)
})

test('an epoch that changes under a page begins anew', () => {
  const room = new Room(state(3), sink)
  room.enter(state(6))
  room.fetchStarted()
  room.page(page([4], 4, { epoch: 9 }))
  expect(told).toEqual(['reset'])
  expect(room.behind).toBe(false)
})

test('a place of an earlier life is gone on from', () => {
  const room = new Room(state(6), sink, { epoch: 7, last: 4 })
  expect(room.wantsPage(0)).toBe(4)
  expect(new Room(state(6), sink, { epoch: 6, last: 4 }).wantsPage(0)).toBeUndefined()
  expect(told).toEqual(['reset'])
})

test('an empty page does not make the client ask for ever', () => {
  const room = new Room(state(3), sink)
  room.enter(state(6))
  room.fetchStarted()
  room.page(page([], 6))
  expect(told).toEqual(['gap 4-6'])
  expect(room.wantsPage(0)).toBeUndefined()
})

test('a refused page is asked for later, or given up', () => {
  const room = new Room(state(3), sink)
  room.enter(state(6))
  room.fetchStarted()
  room.pageRefused(1_000, 5_000)
  expect(room.retryAt).toBe(6_000)
  expect(room.wantsPage(5_999)).toBeUndefined()
  expect(room.wantsPage(6_000)).toBe(3)
  room.fetchStarted()
  room.pageRefused(7_000, undefined)
  expect(told).toEqual(['gap 4-6'])
})
