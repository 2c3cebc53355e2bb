/** The code of an invitation, from the address `#invite=CODE`: it makes an account where not everybody
 * may. It is a secret, so it leaves the address bar and the history at once.
 */

import { signal } from '@preact/signals'

export const invitation = signal<string | undefined>(undefined)

/** Codes are short; what is longer is none. */
const LONGEST = 64

/** Takes the code out of the address, if one is there. */
export function takeInvitation(): boolean {
  const code = /^#invite=(.*)$/s.exec(location.hash)?.[1]
  if (code === undefined) return false
  history.replaceState(null, '', location.pathname + location.search)
  try {
    const text = decodeURIComponent(code).trim()
    if (text && text.length <= LONGEST) invitation.value = text
  } catch {
    // Not an address that klatchd printed.
  }
  return true
}
