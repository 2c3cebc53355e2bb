/** Who asks us into a private room, and the room that the address leads to: it stays in sight until it is
 * answered.
 */

import type { ComponentChildren, VNode } from 'preact'

import { join } from '../state/actions'
import { findRoom, invitations, notice, online } from '../state/chat'
import { wanted } from '../state/page'

export function Invitations(): VNode | null {
  const asked = online.value && wanted.value !== undefined && !findRoom(wanted.value) ? wanted.value : undefined
  if (invitations.value.length === 0 && asked === undefined) return null
  const dismiss = (room: string): void => {
    invitations.value = invitations.value.filter((invited) => invited.room !== room)
  }
  const forget = (): void => {
    wanted.value = undefined
  }
  return (
    <div class="invitations" role="region" aria-label="Invitations" aria-live="polite">
      {asked !== undefined && (
        <Question key="#" room={asked} done={forget}>The address leads to <bdi class="strong">#{asked}</bdi></Question>
      )}
      {invitations.value.map(({ room, by }) => (
        <Question key={room} room={room} done={() => dismiss(room)}>
          <bdi class="strong">{by}</bdi> invites you into <bdi class="strong">#{room}</bdi>
        </Question>
      ))}
    </div>
  )
}

function Question({ room, done, children }: { room: string; done: () => void; children: ComponentChildren }): VNode {
  const come = async (): Promise<void> => {
    const outcome = await join(room)
    if (!outcome.ok) notice.value = outcome.why
    done()
  }
  return (
    <div class="invited">
      <p>{children}</p>
      <button type="button" class="quiet" onClick={done}>Not now</button>
      <button type="button" class="primary" onClick={() => void come()}>Join</button>
    </div>
  )
}
