/** Which of its two pages is looked at: the chat, or the operator's. */

import { signal } from '@preact/signals'

export const ADMIN = '/admin'
export const atAdmin = signal(location.pathname === ADMIN)

/** Goes to the operator's page, or back to the chat; the session stays the same. */
export function goToAdmin(there: boolean): void {
  if (atAdmin.value === there) return
  history.pushState(null, '', there ? ADMIN : '/')
  atAdmin.value = there
}
