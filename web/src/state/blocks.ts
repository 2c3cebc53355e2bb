/** Whom the account blocks: they write to it directly no more, nor it to them. */

import { effect, signal } from '@preact/signals'

import type { BlockInfo } from '../protocol'
import { wordsFor } from './actions'
import { account, link, supports, theClient } from './chat'

/** By name; undefined until the server has told. */
export const blocked = signal<ReadonlySet<string> | undefined>(undefined)

/** A guest blocks nobody. */
export const canBlock = (): boolean => account.value && supports('block')

export const blocks = (name: string | undefined): boolean => name !== undefined && blocked.value?.has(name) === true

/** Asks whom it blocks. Undefined, or why that is not known. */
export async function loadBlocks(): Promise<string | undefined> {
  const found = new Set<string>()
  for (let after: BlockInfo['id'] | undefined; ; ) {
    const outcome = await theClient()?.request('blocks', after === undefined ? {} : { after })
    if (!outcome) return 'There is no connection right now.'
    if (!outcome.ok) return wordsFor(outcome.failure)
    for (const one of outcome.result.blocks) found.add(one.name)
    after = outcome.result.blocks.at(-1)?.id
    if (outcome.result.more && after !== undefined) continue
    blocked.value = found
    return undefined
  }
}

/** Blocks somebody, or no longer. Undefined, or why not. */
export async function block(name: string, on: boolean): Promise<string | undefined> {
  const outcome = await theClient()?.request('block', { name, on })
  if (!outcome) return 'There is no connection right now.'
  return outcome.ok ? loadBlocks() : wordsFor(outcome.failure)
}

/** Begins to follow: another device may have changed it while there was no connection. */
export function followBlocks(): void {
  effect(() => {
    if (!account.value) blocked.value = undefined
    else if (link.value.phase === 'online' && supports('blocks')) void loadBlocks()
  })
}
