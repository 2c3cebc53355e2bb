/** Something that is on or off, with a word about it. */

import type { ComponentChildren, VNode } from 'preact'

interface SwitchProps {
  on: boolean
  set: (on: boolean) => void
  title: string
  children: ComponentChildren
}

export function Switch({ on, set, title, children }: SwitchProps): VNode {
  return (
    <label class="switch">
      <span>
        {title}
        <small class="help">{children}</small>
      </span>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => set(event.currentTarget.checked)} />
    </label>
  )
}
