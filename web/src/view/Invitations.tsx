/** Who asks us into a private room: it stays in sight until it is answered. */

import type { VNode } from 'preact'

import type { InvitedEvent } from '../protocol'
import { join } from '../state/actions'
import { invitations, notice } from '../state/chat'

export function Invitations(): VNode | null {
  if (invitations.value.length === 0) return null
  const dismiss = (room: string): void => {
    invitations.value = invitations.value.filter((invited) => invited.room !== room)
  }
  const come = async ({ room }: InvitedEvent): Promise<void> => {
    const outcome = await join(room)
    if (!outcome.ok) notice.value = outcome.why
    dismiss(room)
  }
  return (
    <div class="invitations" role="region" aria-label="Invitations" aria-live="polite">
      {invitations.value.map((invited) => (
        <div key={invited.room} class="invited">
          <p><bdi class="strong">{invited.by}</bdi> invites you into <bdi class="strong">#{invited.room}</bdi></p>
          <button type="button" class="quiet" onClick={() => dismiss(invited.room)}>Not now</button>
          <button type="button" class="primary" onClick={() => void come(invited)}>Join</button>
        </div>
      ))}
    </div>
  )
}
