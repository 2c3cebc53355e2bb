/** The picture of a name: its letters on a colour of its own. */

import type { VNode } from 'preact'

import { hueOf, initialsOf } from '../text/names'

export function Avatar({ name, small = false }: { name: string; small?: boolean }): VNode {
  return (
    <span class={`avatar ${small ? 'small' : ''}`} style={{ '--hue': hueOf(name) }} aria-hidden="true">
      {initialsOf(name)}
    </span>
  )
}

/** A name in its colour, isolated from the writing direction around it. */
export function Name({ name }: { name: string }): VNode {
  return <bdi class="name" style={{ '--hue': hueOf(name) }}>{name}</bdi>
}
