/** Timelines are shown once for all that comes between two frames of the screen. */

import { batch } from '@preact/signals'

import type { RoomView } from './room'

const changed = new Set<RoomView>()

/** Shows a room's timeline at the next frame of the screen, once for all that comes until then. */
export function showSoon(view: RoomView): void {
  changed.add(view)
  if (changed.size > 1) return
  const show = (): void =>
    batch(() => {
      for (const each of changed) each.show()
      changed.clear()
    })
  if (document.hidden) setTimeout(show, 100)
  else requestAnimationFrame(show)
}
