/** The first face: choose a name and chat; or log in to an account, or make one. */

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

import type { ErrorBody, Why } from '../protocol'
import { enterAsGuest, logIn, lookUp, offered, register, way, waysIn, type Way } from '../state/account'
import { wordsOf } from '../state/actions'
import { link, refusal } from '../state/chat'
import { invitation } from '../state/invitation'
import { load } from '../state/stored'
import { Logo } from './Logo'
import { Password } from './Password'

const LABELS: Record<Way, string> = { guest: 'Guest', login: 'Log in', register: 'Register' }
const BUTTONS: Record<Way, string> = { guest: 'Start chatting', login: 'Log in', register: 'Create the account' }
const WORDS: Record<Way, string> = {
  guest: 'Pick a name, and you are in. No account is needed.',
  login: 'With your name and password.',
  register: 'An account keeps your name for you, and your rooms on all your devices.',
}
/** Refusals after which a password is asked for. */
const ASK = ['name_registered', 'guests_denied', 'bad_credentials', 'revoked']

export function SignIn(): VNode {
  const [name, setName] = useState(load<string>('last-name') ?? '')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const nameField = useRef<HTMLInputElement>(null)
  const passwordField = useRef<HTMLInputElement>(null)
  const ways = waysIn()
  const now = ways.includes(way.value) ? way.value : ways[0]!
  const why = refusal.value
  const wait = useWait(why)
  const { phase } = link.value
  const busy = phase === 'connecting' || phase === 'settling'
  const error = why?.kind === 'refused' ? why.error : undefined
  const invite = code || invitation.value || ''
  const wantsCode = now === 'register' && (offered.value?.registration === 'invite' || invitation.value !== undefined)

  useEffect(lookUp, [])
  useEffect(() => {
    if (ASK.includes(nameOf(why)) && now === 'guest') way.value = 'login'
  }, [why])
  useEffect(() => {
    if (now !== 'guest' && name.trim()) passwordField.current?.focus()
    else nameField.current?.focus()
  }, [now, why])
  const submit = (chosen: string, as: Way = now): void => {
    if (!chosen.trim()) return nameField.current?.focus()
    setName(chosen)
    if (as === 'guest') enterAsGuest(chosen.trim())
    else if (as === 'login') logIn(chosen.trim(), password)
    else register(chosen.trim(), password, invite.trim())
  }
  return (
    <main class="sign-in">
      <section class="card">
        <Logo />
        <h1>Welcome to Klatch</h1>
        <p>{WORDS[now]}</p>
        <Ways ways={ways} now={now} />
        <form
          onSubmit={(event) => {
            event.preventDefault()
            submit(name)
          }}
        >
          <label for="name">Your name</label>
          <input
            id="name"
            ref={nameField}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            autocomplete={now === 'guest' ? 'nickname' : 'username'}
            autocapitalize="none"
            spellcheck={false}
            maxLength={32}
            required
            aria-describedby={now === 'login' ? undefined : 'name-help'}
            aria-invalid={error?.name.startsWith('name_') ?? false}
          />
          {now !== 'login' && (
            <p id="name-help" class="help">Letters and digits; inside also <span class="nowrap">- _ .</span></p>
          )}
          {now !== 'guest' && (
            <Password
              key={now}
              id="password"
              label="Password"
              value={password}
              set={setPassword}
              fresh={now === 'register'}
              field={passwordField}
              {...(now === 'register' ? { describedBy: 'password-help' } : {})}
            />
          )}
          {now === 'register' && <p id="password-help" class="help">At least 8 characters. Nobody can tell it to you again.</p>}
          {wantsCode && (
            <>
              <label for="invite">Invitation code</label>
              <input
                id="invite"
                value={invite}
                onInput={(event) => setCode(event.currentTarget.value)}
                autocomplete="off"
                autocapitalize="none"
                spellcheck={false}
                maxLength={64}
                required={offered.value?.registration !== 'open'}
              />
            </>
          )}
          {why && <Problem why={why} way={now} />}
          {error?.suggestion && (
            <Suggestion error={error} take={(free) => submit(free, now === 'register' ? 'register' : 'guest')} />
          )}
          <button type="submit" class="primary" disabled={busy || wait > 0}>
            {busy ? 'Connecting…' : wait > 0 ? `Again in ${wait} s` : BUTTONS[now]}
          </button>
        </form>
        {phase === 'waiting' && !why && (
          <p class="problem" role="alert">The server cannot be reached. Trying again…</p>
        )}
        {offered.value?.motd && <p class="motd"><bdi>{offered.value.motd}</bdi></p>}
      </section>
    </main>
  )
}

const nameOf = (why: Why | undefined): string =>
  why?.kind === 'refused' ? why.error.name : why?.kind === 'bye' ? why.bye.name : ''

/** Seconds that the server wants us to wait, counted down. */
function useWait(why: Why | undefined): number {
  const [left, setLeft] = useState(0)
  useEffect(() => {
    const told = why?.kind === 'refused' ? Number(why.error.retry_after_ms ?? 0) : 0
    const until = Date.now() + told
    const tick = (): void => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)))
    tick()
    if (told === 0) return undefined
    const timer = setInterval(tick, 500)
    return () => clearInterval(timer)
  }, [why])
  return left
}

function Ways({ ways, now }: { ways: Way[]; now: Way }): VNode {
  return (
    <fieldset class="choice">
      <legend class="hidden">How to come in</legend>
      <div class="segments" style={{ '--count': ways.length }}>
        {ways.map((each) => (
          <label key={each}>
            <input
              type="radio"
              name="way"
              checked={each === now}
              onChange={() => {
                refusal.value = undefined
                way.value = each
              }}
            />
            <span>{LABELS[each]}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}

function Problem({ why, way }: { why: Why; way: Way }): VNode {
  return <p class="problem" role="alert">{wordsAbout(why, way)}</p>
}

function wordsAbout(why: Why, way: Way): string {
  switch (nameOf(why)) {
    case 'name_taken':
      return 'Somebody here has this name, or one that looks like it.'
    case 'name_registered':
      return 'This name belongs to an account. Is it yours? Then log in with its password.'
    case 'guests_denied':
      return 'This server takes no guests: log in, or register.'
    case 'bad_credentials':
      return way === 'login'
        ? 'Name and password do not belong together. Or this device was logged out.'
        : 'The name cannot be taken again.'
    case 'revoked':
      return 'This device was logged out from another one.'
    case 'invite_invalid':
      return 'This invitation is not known, was used already, or is too old.'
  }
  if (why.kind === 'refused' && why.error.limit === 'login_failures') return 'Too many wrong passwords came from here.'
  if (why.kind === 'refused') return wordsOf(why.error)
  if (why.kind === 'bye') return why.bye.text
  if (why.kind === 'broken') return 'The server said something that this page does not understand.'
  return 'The server cannot be reached.'
}

function Suggestion({ error, take }: { error: ErrorBody; take: (name: string) => void }): VNode {
  return (
    <button type="button" class="suggestion" onClick={() => take(error.suggestion!)}>
      Use <bdi>{error.suggestion}</bdi> instead
    </button>
  )
}
