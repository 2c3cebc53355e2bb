/** The field in which one begins. */

import type { RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

export function useFocus(): RefObject<HTMLInputElement | null> {
  const field = useRef<HTMLInputElement>(null)
  // At once: who types on loses no letter.
  useLayoutEffect(() => field.current?.focus(), [])
  return field
}
