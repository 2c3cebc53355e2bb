/** Times for people, in their own language. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

const MINUTE = 60_000

export const clockOf = rarely(MINUTE, (time) => clock.format(time))

export const fullTimeOf = rarely(1_000, (time) => full.format(time))

/** Formats the times of one `span` once: rows beside each other mostly share theirs, and the
 * browser takes long for each.
 */
function rarely(span: number, format: (time: number) => string): (time: number) => string {
  let known = NaN
  let text = ''
  return (time) => {
    const now = Math.floor(time / span)
    if (now !== known) [known, text] = [now, format(time)]
    return text
  }
}

/** The day as one says it: today, yesterday, Monday 3 May. */
export function dayOf(time: number, now = Date.now()): string {
  const midnight = (at: number): number => new Date(at).setHours(0, 0, 0, 0)
  const days = Math.round((midnight(time) - midnight(now)) / 86_400_000)
  if (days === 0 || days === -1) {
    const word = relative.format(days, 'day')
    return word.charAt(0).toUpperCase() + word.slice(1)
  }
  const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear()
  return (sameYear ? day : dayOfYear).format(time)
}
