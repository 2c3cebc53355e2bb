/** Which of its faces the page shows. */

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { VNode } from 'preact'

import { announcement, link, me, notice, online, takeOver } from '../state/chat'
import { begun } from '../state/page'
import { atAdmin } from '../state/place'
import { Dialogs, dialog } from './Dialogs'
import { Invitations } from './Invitations'
import { Later } from './Later'
import { Logo } from './Logo'
import { MembersPanel } from './Members'
import { RoomPane } from './RoomPane'
import { Sidebar } from './Sidebar'
import { SignIn } from './SignIn'
import { onShortcut } from './shortcuts'

/** On a narrow screen one of the panels at the sides may cover the room. */
export const drawer = signal<'rooms' | 'members' | undefined>(undefined)

export function App(): VNode {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onShortcut(event)
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [])
  if (!begun.value) return <div class="splash" aria-busy="true" />
  const { value: now } = link
  if (now.phase === 'ended' && now.why.kind === 'bye' && now.why.bye.name === 'replaced') return <Replaced />
  if (me.value === undefined) {
    return (
      <>
        <SignIn />
        <Notice />
      </>
    )
  }
  if (atAdmin.value) {
    return (
      <>
        <Later load={() => import('./Admin')} shell={(text) => <main class="admin"><p role="status">{text}</p></main>} />
        <Notice />
      </>
    )
  }
  return (
    <>
      <div class={`shell ${online.value ? '' : 'down'} ${drawer.value ? `drawer-${drawer.value}` : ''}`}>
        <Sidebar />
        <RoomPane />
        <MembersPanel />
        {drawer.value && (
          <button type="button" class="scrim" aria-label="Close the panel" onClick={() => (drawer.value = undefined)} />
        )}
      </div>
      {dialog.value && <Dialogs />}
      <Invitations />
      <Notice />
      <div class="hidden" aria-live="polite">{announcement.value}</div>
    </>
  )
}

function Notice(): VNode | null {
  const text = notice.value
  useEffect(() => {
    if (text === undefined) return undefined
    const timer = setTimeout(() => (notice.value = undefined), 6_000)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <div class="toasts" role="status">
      {text !== undefined && <p class="toast">{text}</p>}
    </div>
  )
}

function Replaced(): VNode {
  return (
    <main class="sign-in">
      <section class="card">
        <Logo />
        <h1>Klatch is open elsewhere</h1>
        <p>Another tab or window took over. Nothing is lost.</p>
        <button type="button" class="primary" onClick={takeOver}>Use it here</button>
      </section>
    </main>
  )
}
