/** The place to write, for those who put something into it from elsewhere. */

let field: HTMLTextAreaElement | undefined

export function setField(element: HTMLTextAreaElement | undefined): void {
  field = element
}

export const focusComposer = (): void => field?.focus()

/** From the place to write up to the newest message: false if there is none. */
export function focusNewest(): boolean {
  const newest = [...document.querySelectorAll<HTMLElement>('[role=log] .message[data-seq]')].at(-1)
  newest?.focus()
  return newest !== undefined
}

/** Puts a text where the cursor is. */
export function insert(text: string, from?: number): void {
  if (!field) return
  const start = from ?? field.selectionStart
  field.setRangeText(text, start, field.selectionEnd, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
  field.focus()
}
