/** The first face: choose a name and chat. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { ErrorBody, Why } from '../protocol'
import { wordsOf } from '../state/actions'
import { link, refusal, signIn } from '../state/chat'
import { load } from '../state/stored'
import { Logo } from './Logo'

export function SignIn(): VNode {
  const [name, setName] = useState(load<string>('last-name') ?? '')
  const input = useRef<HTMLInputElement>(null)
  const { phase } = link.value
  const busy = phase === 'connecting' || phase === 'settling'
  const why = refusal.value
  const error = why?.kind === 'refused' ? why.error : undefined
  useEffect(() => input.current?.focus(), [])
  const submit = (chosen: string): void => {
    if (!chosen.trim()) return input.current?.focus()
    signIn(chosen.trim())
  }
  return (
    <main class="sign-in">
      <section class="card">
        <Logo />
        <h1>Welcome to Klatch</h1>
        <p>Pick a name, and you are in. No account is needed.</p>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            submit(name)
          }}
        >
          <label for="name">Your name</label>
          <input
            id="name"
            ref={input}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            autocomplete="nickname"
            autocapitalize="none"
            spellcheck={false}
            maxLength={32}
            required
            aria-describedby="name-help"
            aria-invalid={error !== undefined}
          />
          <p id="name-help" class="help">Letters and digits; inside also <span class="nowrap">- _ .</span></p>
          {why && <Problem why={why} />}
          {error?.suggestion && <Suggestion error={error} take={submit} />}
          <button type="submit" class="primary" disabled={busy}>
            {busy ? 'Connecting…' : 'Start chatting'}
          </button>
        </form>
        {phase === 'waiting' && (
          <p class="problem" role="alert">The server cannot be reached. Trying again…</p>
        )}
      </section>
    </main>
  )
}

function Problem({ why }: { why: Why }): VNode {
  const text =
    why.kind === 'refused' && why.error.name === 'name_taken'
      ? 'Somebody here has this name, or one that looks like it.'
    : why.kind === 'refused' ? wordsOf(why.error)
    : why.kind === 'bye' ? why.bye.text
    : why.kind === 'broken' ? 'The server said something that this page does not understand.'
    : 'The server cannot be reached.'
  return <p class="problem" role="alert">{text}</p>
}

function Suggestion({ error, take }: { error: ErrorBody; take: (name: string) => void }): VNode {
  return (
    <button type="button" class="suggestion" onClick={() => take(error.suggestion!)}>
      Use <bdi>{error.suggestion}</bdi> instead
    </button>
  )
}
