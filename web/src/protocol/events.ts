/** What the client tells its user. */

import type { WireEvent } from './codec'
import type { Outgoing } from './outbox'
import type {
  Bye, Entry, ErrorBody, InvitedEvent, LoggedIn, RemovedEvent, RoomState, Uint64, Welcome,
} from './types'

/** Why there is no connection. */
export type Why =
  /** The network, or the server behind it, is not there. */
  | { kind: 'network' }
  /** The server said nothing for too long. */
  | { kind: 'silent' }
  /** The server sent what is not understood. */
  | { kind: 'broken'; text: string }
  /** The server said goodbye. */
  | { kind: 'bye'; bye: Bye }
  /** `hello` or `login` was refused. */
  | { kind: 'refused'; error: ErrorBody }

/** The connection as people see it. */
export type Link =
  | { phase: 'offline' }
  | { phase: 'connecting' }
  /** The name is held; rooms are being entered. */
  | { phase: 'settling' }
  | { phase: 'online' }
  /** Lost; the next attempt is at `at` (by the client's clock). */
  | { phase: 'waiting'; why: Why; at: number }
  /** Nothing more happens until somebody logs in again. */
  | { phase: 'ended'; why: Why }

export type ClientEvent =
  | { type: 'link'; link: Link }
  /** The name is held. Store the token: it takes the name again. */
  | { type: 'named'; login: LoggedIn; welcome: Welcome }
  /** A room as it is now; `fresh` if it was not followed before. */
  | { type: 'room'; state: RoomState; fresh: boolean }
  /** Entries that follow all that were told of the room before. Those that were missed come with a
   * `head`: their messages are as they were then, so changes up to it are not to be applied again. */
  | { type: 'entries'; room: string; entries: Entry[]; live: boolean; head?: number }
  /** The entries from `from` to `to` are gone. */
  | { type: 'gap'; room: string; from: number; to: number }
  /** Forget what was told of the room, and read its history anew. */
  | { type: 'reset'; room: string; epoch: Uint64 }
  /** The room is followed no longer; `why` if the server refused to let the client back in. */
  | { type: 'gone'; room: string; why?: ErrorBody }
  /** The room is followed no longer, without this client having asked for that. `away`: it happened
   * while there was no connection, and nobody tells why. */
  | ({ type: 'removed'; away?: true } & RemovedEvent)
  /** A private room may be joined now. */
  | ({ type: 'invited' } & InvitedEvent)
  /** A text, or what was done to one, was refused, for now or for good: the outbox says which. */
  | { type: 'refused'; room: string; error: ErrorBody; item: Outgoing }
  /** A room has another name: somebody gave it one, now (`by` whom) or while there was no connection; or a
   * direct room was opened anew. */
  | { type: 'renamed'; from: string; to: string; by?: string }
  /** The texts of a room that are not yet told have changed. */
  | { type: 'outbox'; room: string; items: Outgoing[] }
  /** The server does not know a method. */
  | { type: 'unsupported'; method: string }
  /** A volatile event, as it came. */
  | Volatile

export type Volatile = {
  [Name in WireEvent['name']]: { type: 'wire' } & Extract<WireEvent, { name: Name }>
}['joined' | 'left' | 'typing' | 'configured' | 'ranked' | 'read']
