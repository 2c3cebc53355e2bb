/** A text of one's own that the server has not acknowledged yet, or will not take. */

import type { VNode } from 'preact'

import type { ErrorBody, Outgoing } from '../protocol'
import { wordsOf } from '../state/actions'
import { me, online, theClient } from '../state/chat'
import { Avatar, Name } from './Avatar'
import { Markdown } from './Markdown'

/** `refused` stands beside the item, which stays the same one: a part is only drawn anew for a change
 * of what it is given.
 */
export function Pending({ item, refused }: { item: Outgoing; refused: ErrorBody | undefined }): VNode {
  const name = me.value ?? ''
  return (
    <div class="row">
      <article class={`message first pending ${refused ? 'refused' : ''}`} tabIndex={-1}>
        <div class="aside"><Avatar name={name} /></div>
        <div class="body">
          <div class="author">
            <Name name={name} />
            <span class="state">
              {refused ? (item.deed ? 'Change not saved' : 'Not sent') : online.value ? 'Sending…' : 'Waiting for the connection'}
            </span>
          </div>
          <div class="text" dir="auto"><Markdown text={item.text} /></div>
          {refused && (
            <p class="why" role="alert">
              {wordsOf(refused)}{' '}
              <button type="button" class="quiet" onClick={() => theClient()?.retry(item)}>Send again</button>{' '}
              <button type="button" class="quiet" onClick={() => theClient()?.core.outbox.discard(item)}>
                Delete
              </button>
            </p>
          )}
        </div>
      </article>
    </div>
  )
}
