/** A text of one's own that the server has not acknowledged yet, or will not take. */

import type { VNode } from 'preact'

import type { Outgoing } from '../protocol'
import { wordsOf } from '../state/actions'
import { me, online, theClient } from '../state/chat'
import { Avatar, Name } from './Avatar'
import { Markdown } from './Markdown'

export function Pending({ item }: { item: Outgoing }): VNode {
  const name = me.value ?? ''
  return (
    <div class="row">
      <article class={`message first pending ${item.refused ? 'refused' : ''}`} tabIndex={-1}>
        <div class="aside"><Avatar name={name} /></div>
        <div class="body">
          <div class="author">
            <Name name={name} />
            <span class="state">
              {item.refused ? 'Not sent' : online.value ? 'Sending…' : 'Waiting for the connection'}
            </span>
          </div>
          <div class="text" dir="auto"><Markdown text={item.text} /></div>
          {item.refused && (
            <p class="why" role="alert">
              {wordsOf(item.refused)}{' '}
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
