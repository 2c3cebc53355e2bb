/** What those may do who keep a room in order; and who may do what to whom. */

import type { Outcome, StandingInfo } from '../protocol'
import type { Methods } from '../protocol/spec.gen'
import { wordsFor } from './actions'
import { me, theClient } from './chat'
import type { RoomView } from './room'

export type Role = 'member' | 'moderator' | 'owner'

export const ROLES: Role[] = ['member', 'moderator', 'owner']

/** A word of a later version may do nothing more that is known here. */
const rankOf = (role: string): number => Math.max(0, ROLES.indexOf(role as Role))

export const moderates = (room: RoomView): boolean =>
  !room.direct && rankOf(room.state.value.role) > 0 && !room.gone.value && !room.removed.value

export const owns = (room: RoomView): boolean => moderates(room) && room.state.value.role === 'owner'

/** Whether somebody of this role can be acted against. */
export const isBelow = (room: RoomView, role: string): boolean =>
  moderates(room) && rankOf(role) < rankOf(room.state.value.role)

export const isOther = (name: string): boolean => name !== me.value

/** Standings that are asked for in all. */
const MOST = 5_000

type Act = 'invite' | 'kick' | 'ban' | 'mute' | 'rank' | 'configure' | 'rename_room' | 'delete_room'

/** Does it. Undefined, or why not. */
export async function moderate<M extends Act>(
  room: RoomView,
  method: M,
  params: Omit<Methods[M]['params'], 'room' | 'timeout_ms'>,
): Promise<string | undefined> {
  const asked = theClient()?.request(method, { ...params, room: room.name } as Methods[M]['params'])
  const outcome = (await asked) as Outcome<unknown> | undefined
  if (!outcome) return 'There is no connection right now.'
  return outcome.ok ? undefined : wordsFor(outcome.failure)
}

/** Everybody who has a role, is invited, banned or muted. */
export async function listStandings(room: RoomView): Promise<StandingInfo[] | string> {
  const found: StandingInfo[] = []
  for (let after: StandingInfo['id'] | undefined; ; ) {
    const params = { room: room.name, ...(after === undefined ? {} : { after }) }
    const outcome = await theClient()?.request('standings', params)
    if (!outcome) return 'There is no connection right now.'
    if (!outcome.ok) return wordsFor(outcome.failure)
    found.push(...outcome.result.standings)
    after = outcome.result.standings.at(-1)?.id
    if (!outcome.result.more || after === undefined || found.length >= MOST) return found
  }
}
