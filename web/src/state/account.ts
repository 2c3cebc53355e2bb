/** The account: the ways in, its password, its devices, its end. */

import { signal } from '@preact/signals'

import { greet, urlOf, type DeviceInfo, type Welcome } from '../protocol'
import { wordsFor } from './actions'
import { admit, forgetAll, me, refusal, signOut, theClient } from './chat'
import { deviceName } from './device'
import { invitation } from './invitation'

export type Way = 'guest' | 'login' | 'register'

/** The way in that is looked at. */
export const way = signal<Way>('guest')
/** What the server offers, once it is known. */
export const offered = signal<Welcome | undefined>(undefined)

/** Asks the server what it offers. Without an answer everything is offered, and refused if need be. */
export function lookUp(): void {
  greet(urlOf(location), `klatch-web ${__VERSION__}`).then(
    (welcome) => (offered.value = welcome),
    () => {},
  )
}

/** The ways in that the server has, and the invitation. */
export function waysIn(): Way[] {
  const guests = offered.value?.guests !== false
  const accounts = invitation.value !== undefined || (offered.value?.registration ?? 'open') !== 'closed'
  return [...(guests ? ['guest' as const] : []), 'login', ...(accounts ? ['register' as const] : [])]
}

export function enterAsGuest(name: string): void {
  admit({ name })
}

export function logIn(name: string, password: string): void {
  admit({ name, password, device: deviceName() })
}

export function register(name: string, password: string, invite: string): void {
  admit({ name, password, device: deviceName(), register: invite ? { invite } : {} })
}

/** A guest who wants to keep the name: it must be free for that first. */
export function becomeAccount(): void {
  signOut()
  refusal.value = undefined
  way.value = 'register'
}

const noConnection = 'There is no connection right now.'

/** Undefined, or why not. */
export async function changePassword(old: string, now: string): Promise<string | undefined> {
  const outcome = await theClient()?.request('passwd', { old, new: now })
  if (!outcome) return noConnection
  return outcome.ok ? undefined : wordsFor(outcome.failure)
}

export async function deleteAccount(password: string): Promise<string | undefined> {
  const name = me.value
  const outcome = await theClient()?.request('unregister', { password })
  if (!outcome) return noConnection
  if (!outcome.ok) return wordsFor(outcome.failure)
  forgetAll(name)
  return undefined
}

export async function listDevices(): Promise<DeviceInfo[] | string> {
  const outcome = await theClient()?.request('devices', {})
  if (!outcome) return noConnection
  return outcome.ok ? outcome.result.devices : wordsFor(outcome.failure)
}

export async function revokeDevice(device: DeviceInfo['id']): Promise<string | undefined> {
  const outcome = await theClient()?.request('revoke', { device })
  if (!outcome) return noConnection
  return outcome.ok ? undefined : wordsFor(outcome.failure)
}
