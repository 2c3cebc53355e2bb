/** A form in a dialog: it asks the server once, says in words what did not work, and can be left. */

import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'

interface FormProps {
  title?: string
  button: ComponentChildren
  danger?: boolean
  ready?: boolean
  /** Undefined, or why it was not done. */
  act: () => Promise<string | undefined>
  done: () => void
  back?: () => void
  /** How the way back is called. */
  backLabel?: string
  children?: ComponentChildren
}

export function Form(props: FormProps): VNode {
  const { title, button, danger = false, ready = true, act, done, back, backLabel = 'Back', children } = props
  const [why, setWhy] = useState<string>()
  const [busy, setBusy] = useState(false)
  const go = async (): Promise<void> => {
    setBusy(true)
    const problem = await act()
    setBusy(false)
    setWhy(problem)
    if (problem === undefined) done()
  }
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready && !busy) void go()
      }}
    >
      {title !== undefined && <h3>{title}</h3>}
      {children}
      {why && <p class="problem" role="alert">{why}</p>}
      <div class="buttons">
        {back && <button type="button" class="quiet" onClick={back}>{backLabel}</button>}
        <button type="submit" class={`primary ${danger ? 'danger' : ''}`} disabled={busy || !ready}>{button}</button>
      </div>
    </form>
  )
}
