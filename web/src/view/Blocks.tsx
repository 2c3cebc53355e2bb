/** Whom the account blocks, and the way to let them write again. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import { block, blocked, loadBlocks } from '../state/blocks'
import { Avatar } from './Avatar'
import { Dialog, dialog } from './Dialogs'

export default function Blocks(): VNode {
  const [why, setWhy] = useState<string>()
  useEffect(() => void loadBlocks().then(setWhy), [])
  const names = blocked.value && [...blocked.value].sort((a, b) => a.localeCompare(b))
  return (
    <Dialog title="Blocked people">
      <p class="help">You write to each other directly no more. In rooms nothing changes.</p>
      {why && <p class="problem" role="alert">{why}</p>}
      {!names && !why && <p class="help" role="status">Loading…</p>}
      {names?.length === 0 && <p>You block nobody.</p>}
      <ul class="devices">
        {names?.map((name) => (
          <li key={name}>
            <Avatar name={name} small />
            <span><bdi class="title">{name}</bdi></span>
            <button type="button" class="quiet" aria-label={`Unblock ${name}`} onClick={() => void block(name, false).then(setWhy)}>
              Unblock
            </button>
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" class="quiet" onClick={() => (dialog.value = 'settings')}>Back</button>
      </div>
    </Dialog>
  )
}
