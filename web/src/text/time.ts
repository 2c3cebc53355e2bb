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

/** A span of time as one says it: 45 s, 10 min, 2 h, 3 days. */
export function durationWords(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 90) return `${seconds} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

/** Until when: the time alone if it is today. */
export function untilWords(time: number, now = Date.now()): string {
  const far = time - now > 10 * 365 * 86_400_000
  if (far) return 'for good'
  return sameDate(time, now) ? `until ${clockOf(time)}` : `until ${dayOf(time, now)}, ${clockOf(time)}`
}

const sameDate = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString()

/** How long ago: now, 5 min ago, 3 days ago. */
export function agoWords(time: number, now = Date.now()): string {
  return now - time < MINUTE ? 'just now' : `${durationWords(now - time)} ago`
}
