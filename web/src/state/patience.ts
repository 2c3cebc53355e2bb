/** Asking again what a busy server refused for now. */

import type { Method, Outcome } from '../protocol'
import { retryIn } from '../protocol/refusal'
import type { Methods } from '../protocol/spec.gen'
import { theClient } from './chat'

/** How often one thing is asked in all. */
const TRIES = 5
/** Nobody waits longer than this, in milliseconds, for what a press leads to without a word. */
const LONGEST = 5_000

/** The answer, or the refusal of one who wants too much patience; a busy server says when to ask again. */
export async function askPatiently<M extends Method>(
  method: M,
  params: Methods[M]['params'],
): Promise<Outcome<Methods[M]['result']>> {
  for (let left = TRIES - 1; ; left -= 1) {
    const outcome = await theClient()?.request(method, params)
    if (!outcome) return { ok: false, failure: { kind: 'lost' } }
    const wait = !outcome.ok && outcome.failure.kind === 'refused' ? retryIn(outcome.failure.error) : undefined
    if (wait === undefined || wait > LONGEST || left === 0) return outcome
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}
