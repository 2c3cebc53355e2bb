/** How long input waits for the page, in the processor's time: how much the page's main thread worked
 * between a key and the moment when the page could see it. The clock would tell as well how busy the
 * machine is with other things.
 */

import type { Browser, Page } from 'playwright-core'

/** An input: when it was made, and when the page saw it, in milliseconds of the page. */
type Wait = [made: number, seen: number]

interface TraceEvent {
  name: string
  pid: number
  tid: number
  /** Microseconds: when it began, how long it took, and how much of that the thread worked. */
  ts: number
  dur?: number
  tdur?: number
  args: { data?: { startTime?: number } }
}

const CATEGORIES = ['blink.user_timing', 'disabled-by-default-devtools.timeline']
const MARK = 'delays'

/** Begins to note each key and each turn of the wheel. Gives a way to end, with the delay that only
 * 5 % of them pass, in milliseconds.
 */
export async function noteDelays(browser: Browser, page: Page): Promise<() => Promise<Delays>> {
  await browser.startTracing(page, { categories: CATEGORIES })
  await page.evaluate((mark) => {
    const waits: [number, number][] = []
    const note = (event: Event): void => void waits.push([event.timeStamp, performance.now()])
    for (const kind of ['keydown', 'wheel']) {
      addEventListener(kind, (event) => event.isTrusted && note(event), { capture: true, passive: true })
    }
    Object.assign(window, { waits })
    performance.mark(mark)
  }, MARK)
  return async () => {
    const waits = await page.evaluate(() => (window as unknown as { waits: Wait[] }).waits)
    const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
    return new Delays(waits, traceEvents)
  }
}

export class Delays {
  readonly count: number
  /** By the processor, and by the clock. */
  readonly p95: number
  readonly p95Clock: number
  /** The longest that the page was busy with one thing. */
  readonly longest: number

  constructor(waits: Wait[], events: TraceEvent[]) {
    const mark = events.find((event) => event.name === MARK)
    if (!mark) throw new Error('the trace lacks the mark')
    const tasks = events.filter(
      (event) => event.name === 'RunTask' && event.pid === mark.pid && event.tid === mark.tid && event.tdur !== undefined,
    )
    const began = mark.args.data!.startTime! * 1_000
    const traced = (time: number): number => mark.ts + time * 1_000 - began
    const worked = ([made, seen]: Wait): number => {
      const [from, to] = [traced(made), traced(seen)]
      let work = 0
      for (const { ts, dur = 0, tdur = 0 } of tasks) {
        const shared = Math.min(ts + dur, to) - Math.max(ts, from)
        if (shared > 0) work += (tdur * shared) / dur
      }
      return work / 1_000
    }
    this.count = waits.length
    this.p95 = p95(waits.map(worked))
    this.p95Clock = p95(waits.map(([made, seen]) => seen - made))
    this.longest = tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1_000
  }

  toString(): string {
    const [own, clock, longest] = [this.p95, this.p95Clock, this.longest].map((each) => each.toFixed(1))
    return `delay p95 ${own} ms of work (${clock} ms by the clock) of ${this.count} inputs, longest task ${longest} ms`
  }
}

function p95(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? NaN
}
