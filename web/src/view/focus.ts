/** The field in which one begins. */

import type { RefObject } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

export function useFocus(): RefObject<HTMLInputElement | null> {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  return field
}
