/** Where one begins: the field to fill in, or the answer that changes nothing. */

import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

export function useFocus<E extends HTMLElement = HTMLInputElement>(): RefObject<E | null> {
  const field = useRef<E>(null)
  // At once: who types on loses no letter.
  useLayoutEffect(() => field.current?.focus(), [])
  return field
}
