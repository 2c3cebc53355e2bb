/** How much work a text would be for the parser of Markdown: strangers may send one that takes it
 * half a minute, for the time grows with the square of the signs that may be markup.
 */

/** Signs that may be markup, outside code; no text of people has so many. */
const SIGNS = 600
/** Quotes and lists inside each other, which open at the beginning of a line. */
const DEEP = /^[ \t]*(?:(?:>|[*+-]|\d{1,9}[.)])[ \t]*){20}/m

const SIGN = /[*_~[\]<>`&\\!@]|www\.|:\/\/|^[ \t]*(?:[-+#]|\d{1,9}[.)])/gim
const ANY_FENCE = /`{3,}|~{3,}/

/** Whether a text is to be shown as it stands. */
export function isTooMuch(text: string): boolean {
  if (text.length < SIGNS && !DEEP.test(text)) return false
  const outside = withoutCode(text)
  return DEEP.test(outside) || (outside.match(SIGN)?.length ?? 0) > SIGNS
}

/** A text without its blocks of code, in which signs mean nothing. Where it is not plain what is
 * inside and what is not, all counts.
 */
function withoutCode(text: string): string {
  const outside: string[] = []
  let fence: string | undefined
  for (const line of text.split('\n')) {
    if (fence !== undefined) {
      const end = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(line)?.[1]
      if (end?.startsWith(fence)) fence = undefined
      continue
    }
    fence = /^(`{3,}|~{3,})[^`]*$/.exec(line)?.[1]
    if (fence !== undefined) continue
    if (ANY_FENCE.test(line)) return text
    outside.push(line)
  }
  return outside.join('\n')
}
