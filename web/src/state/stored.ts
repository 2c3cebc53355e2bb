/** What the page keeps over a reload: who one is, unsent texts, settings; and the rooms with their
 * newest entries, so that they can be read without a connection.
 *
 * Small things that must not be lost are in localStorage, which writes at once; the rooms are in
 * IndexedDB. Where the browser allows neither, the page works without.
 */

import { createStore, del, get, set } from 'idb-keyval'

import type { Entry, Identity, Outgoing, OutboxStore, RoomState, Uint64 } from '../protocol'

const PREFIX = 'klatch.'

export function load<T>(key: string): T | undefined {
  try {
    const text = localStorage.getItem(PREFIX + key)
    return text === null ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

export function save(key: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(PREFIX + key)
    else localStorage.setItem(PREFIX + key, JSON.stringify(value))
  } catch {
    // Full, or not allowed: then it is not kept.
  }
}

const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

const fromHex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16))

export function loadIdentity(): Identity | undefined {
  const found = load<{ name: string; token?: string; account?: boolean }>('identity')
  if (!found) return undefined
  const { name, token, account = false } = found
  return token ? { name, account, token: fromHex(token) } : { name }
}

/** The password, if there was one, is kept nowhere. */
export function saveIdentity(identity: Identity | undefined): void {
  const { name, token, account } = identity ?? {}
  save('identity', identity && { name, account, token: token && toHex(token) })
}

/** Unsent texts of one account. */
export function outboxOf(name: string): OutboxStore {
  const key = `outbox.${name}`
  return {
    load: () =>
      (load<(Omit<Outgoing, 'key'> & { key: string })[]>(key) ?? []).map((item) => ({
        ...item,
        key: fromHex(item.key),
      })),
    save: (items) =>
      save(
        key,
        items.length > 0 ? items.map((item) => ({ ...item, key: toHex(item.key) })) : undefined,
      ),
  }
}

/** A room as it was when the page was last seen. */
export interface StoredRoom {
  state: RoomState
  epoch: Uint64
  read: number
  unread: number
  mentions: number
  /** The newest entry that is known of; the others are as they were then. */
  last?: number | undefined
  /** Why nothing may be written, and until when. */
  barred?: { text: string; until?: number } | undefined
  entries: Entry[]
}

export interface Snapshot {
  name: string
  current: string | undefined
  rooms: StoredRoom[]
}

const store = (): ReturnType<typeof createStore> => createStore('klatch', 'rooms')

export async function loadSnapshot(name: string): Promise<Snapshot | undefined> {
  try {
    return await get<Snapshot>(name, store())
  } catch {
    return undefined
  }
}

export async function saveSnapshot(snapshot: Snapshot): Promise<void> {
  try {
    await set(snapshot.name, snapshot, store())
  } catch {
    // As above.
  }
}

export async function dropSnapshot(name: string): Promise<void> {
  try {
    await del(name, store())
  } catch {
    // As above.
  }
}
