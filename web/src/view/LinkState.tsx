/** The state of the connection, always in sight. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { Link, Why } from '../protocol'
import { link, takeOver, theClient } from '../state/chat'
import { Icon, icons } from './Icon'

const word = (now: Link): string => {
  switch (now.phase) {
    case 'online':
      return 'Online'
    case 'connecting':
    case 'settling':
      return 'Connecting…'
    case 'waiting':
      return 'Offline'
    case 'offline':
    case 'ended':
      return 'Not connected'
  }
}

/** A dot and a word. */
export function LinkDot(): VNode {
  return (
    <span class={`link ${link.value.phase}`} role="status">
      <span class="dot" aria-hidden="true" />
      {word(link.value)}
    </span>
  )
}

/** A line above the room while there is no connection. It waits a moment before it says so. */
export function LinkBanner(): VNode | null {
  const now = link.value
  const [shown, setShown] = useState(false)
  const down = now.phase !== 'online'
  useEffect(() => {
    if (!down) return setShown(false)
    const timer = setTimeout(() => setShown(true), 1_200)
    return () => clearTimeout(timer)
  }, [down])
  if (!down || !shown) return null
  return (
    <div class="banner" role="status">
      <Icon node={icons.WifiOff} />
      <span>{now.phase === 'waiting' || now.phase === 'ended' ? reason(now.why) : 'Connecting…'}</span>
      {now.phase === 'waiting' && <Retry at={now.at} />}
      {now.phase === 'ended' && (
        <button type="button" class="quiet" onClick={takeOver}>Connect again</button>
      )}
    </div>
  )
}

function Retry({ at }: { at: number }): VNode {
  const [left, setLeft] = useState(secondsTo(at))
  useEffect(() => {
    const timer = setInterval(() => setLeft(secondsTo(at)), 500)
    return () => clearInterval(timer)
  }, [at])
  return (
    <>
      <span class="countdown" aria-hidden="true">{left > 0 ? `again in ${left} s` : 'now'}</span>
      <button type="button" class="quiet" onClick={() => theClient()?.wake()}>Try now</button>
    </>
  )
}

const secondsTo = (at: number): number => Math.max(0, Math.ceil((at - Date.now()) / 1000))

function reason(why: Why): string {
  switch (why.kind) {
    case 'network':
      return 'No connection. What you write is kept and sent later.'
    case 'silent':
      return 'The server does not answer. What you write is kept and sent later.'
    case 'broken':
      return 'The server said something that this page does not understand.'
    case 'bye':
      return why.bye.text
    case 'refused':
      return why.error.text
  }
}
