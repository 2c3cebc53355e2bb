/** Who the client is, and how it says so: by a token, by a password, as a new account, or as a guest. */

import type { Failure } from './requests'
import type { Methods } from './spec.gen'
import type { LoggedIn } from './types'

/** What stands here changes with each login: store the name and the token. */
export interface Identity {
  name: string
  /** That of the last login, if there was one. */
  token?: Uint8Array
  /** Used once: after that the token stands for it. */
  password?: string
  /** Makes the account, with the password; `invite` is the code where the server wants one. */
  register?: { invite?: string }
  /** What the account's list of devices calls this one. */
  device?: string
  /** Whether the name is that of an account; known after the first login. */
  account?: boolean
}

type WayIn =
  | { method: 'login'; params: Methods['login']['params'] }
  | { method: 'register'; params: Methods['register']['params'] }

/** Registrations that were sent and not answered: the account may be there already. */
const unanswered = new WeakSet<Identity>()

/** How to ask for the name now. */
export function wayIn(identity: Identity): WayIn {
  const { name, token, password, register, device } = identity
  if (token) return { method: 'login', params: { name, token } }
  const named = device === undefined ? {} : { device }
  if (password === undefined) return { method: 'login', params: { name } }
  if (!register || unanswered.has(identity)) return { method: 'login', params: { name, password, ...named } }
  unanswered.add(identity)
  const { invite } = register
  return { method: 'register', params: { name, password, ...(invite ? { invite } : {}), ...named } }
}

/** Whether to ask once more in another way: the account that may have been made was not. */
export function otherWay(identity: Identity, asked: WayIn['method'], failure: Failure): boolean {
  if (failure.kind !== 'refused' || !identity.register) return false
  unanswered.delete(identity)
  return asked === 'login' && failure.error.name === 'bad_credentials'
}

/** The name is held. */
export function held(identity: Identity, login: LoggedIn): void {
  identity.name = login.name
  identity.token = login.token
  identity.account = !login.guest
  delete identity.password
  delete identity.register
}
