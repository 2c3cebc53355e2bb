/** How long to wait before connecting again: what the server asked for, doubled by each failure,
 * with a random part of the same length on top, so that a thousand clients of a restarted server
 * do not come back in the same instant.
 */

const START = 1_000
const MOST = 60_000
/** The longest wait that a server can ask for. */
const HINT_MOST = 3_600_000

export class Backoff {
  private last = 0

  /** The next wait in milliseconds; `jitter` is a random number from 0 to 1. */
  next(hint: number | undefined, jitter: number): number {
    const grown = this.last ? Math.min(this.last * 2, MOST) : (hint ?? START)
    const base = Math.min(Math.max(grown, hint ?? 0, 1), HINT_MOST)
    this.last = base
    return base + base * Math.min(Math.max(jitter, 0), 1)
  }

  /** All is well again. */
  reset(): void {
    this.last = 0
  }
}
