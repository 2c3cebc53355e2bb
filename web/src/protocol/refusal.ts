/** What to do about a refusal or an end, by the class of its code. */

import type { Why } from './events'
import type { ErrorBody } from './types'

/** The classes that pass by themselves: limit, server, unknown. A full table is none of them. */
export const isTemporary = (error: ErrorBody): boolean => error.code >= 400 && error.name !== 'quota'

/** How long to wait before the same is tried again; undefined if it never will be. */
export function retryIn(error: ErrorBody): number | undefined {
  // Who is muted for a while is told until when, but what they wrote is not said then by itself.
  if (error.code < 400) return undefined
  if (error.retry_after_ms !== undefined) return Number(error.retry_after_ms)
  return error.code >= 500 ? 1_000 : undefined
}

/** Whether the client may connect again by itself. */
export function mayReturn(why: Why): boolean {
  if (why.kind === 'bye') return why.bye.code >= 300
  if (why.kind === 'refused') return why.error.code >= 400
  return true
}

/** The wait that the server asked for. */
export function hintOf(why: Why): number | undefined {
  const told =
    why.kind === 'bye'
      ? why.bye.retry_after_ms
      : why.kind === 'refused'
        ? why.error.retry_after_ms
        : undefined
  return told === undefined ? undefined : Number(told)
}
