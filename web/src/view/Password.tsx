/** A field for a password, which can be looked at. */

import type { Ref, VNode } from 'preact'
import { useState } from 'preact/hooks'

import { Icon, icons } from './Icon'

interface Props {
  id: string
  label: string
  value: string
  set: (value: string) => void
  /** Whether it is one that is being chosen. */
  fresh?: boolean
  field?: Ref<HTMLInputElement>
  describedBy?: string
}

export function Password({ id, label, value, set, fresh = false, field, describedBy }: Props): VNode {
  const [seen, setSeen] = useState(false)
  const what = seen ? 'Hide the password' : 'Show the password'
  return (
    <>
      <label for={id}>{label}</label>
      <span class="password">
        <input
          id={id}
          type={(seen ? 'text' : 'password') as 'password'}
          value={value}
          ref={field ?? null}
          required
          minLength={fresh ? 8 : 1}
          maxLength={512}
          autocomplete={fresh ? 'new-password' : 'current-password'}
          autocapitalize="none"
          spellcheck={false}
          aria-describedby={describedBy}
          onInput={(event) => set(event.currentTarget.value)}
        />
        <button type="button" class="icon small" aria-label={what} aria-controls={id} title={what} onClick={() => setSeen(!seen)}>
          <Icon node={seen ? icons.EyeOff : icons.Eye} />
        </button>
      </span>
    </>
  )
}
