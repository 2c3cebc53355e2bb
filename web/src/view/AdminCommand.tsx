/** One command: what it takes, the question whether it is really to be done, and what it answers. */

import type { VNode } from 'preact'
import { useState } from 'preact/hooks'

import { isFields, isHarsh, onlyLooks, rowsOf, run, type Answer, type Command, type Json, type Parameter } from '../state/admin'
import { fieldWords, valueWords } from '../text/figures'
import { AdminTable } from './AdminTable'
import { Dialog } from './Dialogs'

export interface Wanted {
  command: Command
  /** What it is given already. */
  given: Record<string, string>
}

interface Props {
  wanted: Wanted
  close: () => void
  /** Something was done: what is shown may be another by now. */
  done: () => void
}

export function AdminCommand({ wanted: { command, given: known }, close, done }: Props): VNode {
  const [given, setGiven] = useState(known)
  const [sure, setSure] = useState(false)
  const [busy, setBusy] = useState(false)
  const [answer, setAnswer] = useState<Answer>()
  const looks = onlyLooks(command.command)
  const harsh = isHarsh(command.command)
  const title = fieldWords(command.command)

  const go = async (): Promise<void> => {
    if (!looks && !sure) return setSure(true)
    setBusy(true)
    const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value.trim() !== ''))
    const found = await run(command.command, filled)
    setBusy(false)
    setSure(false)
    setAnswer(found)
    if (found.ok && !looks) done()
  }
  const finished = answer?.ok === true && !looks
  const told = Object.entries(given).filter(([, value]) => value.trim()).map(([, value]) => value)
  return (
    <Dialog title={title} kind="command" close={close}>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault()
          void go()
        }}
      >
        <p class="help">{command.help}.</p>
        {!finished && command.parameters.map((one) => (
          <Field
            key={one.name}
            parameter={one}
            value={given[one.name] ?? ''}
            change={(value) => {
              setGiven({ ...given, [one.name]: value })
              setSure(false)
            }}
          />
        ))}
        {answer && <Result command={command} answer={answer} />}
        {sure && (
          <div class={`sure ${harsh ? '' : 'calm'}`} role="alert">
            <p>Really {command.command}{told.length > 0 && <> <bdi class="strong">{told.join(' ')}</bdi></>}? Press once more.</p>
          </div>
        )}
        <div class="buttons">
          <button type="button" class="quiet" onClick={close}>{finished ? 'Close' : 'Cancel'}</button>
          {!finished && (
            <button type="submit" class={`primary ${harsh ? 'danger' : ''}`} disabled={busy}>
              {sure ? `Yes, ${command.command}` : title}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}

function Field({ parameter, value, change }: { parameter: Parameter; value: string; change: (value: string) => void }): VNode {
  const id = `parameter-${parameter.name}`
  const choices = /^[a-z]+(?:\|[a-z]+)+$/.test(parameter.value) ? parameter.value.split('|') : undefined
  return (
    <>
      <label for={id}>{fieldWords(parameter.name)}{!parameter.required && <small> (may stay empty)</small>}</label>
      {choices ? (
        <select id={id} value={value} aria-describedby={`${id}-help`} onChange={(event) => change(event.currentTarget.value)}>
          {!parameter.required && <option value="">as usual</option>}
          {choices.map((choice) => <option key={choice} value={choice}>{choice}</option>)}
        </select>
      ) : (
        <input
          id={id}
          value={value}
          required={parameter.required}
          maxLength={300}
          autocomplete="off"
          autocapitalize="none"
          aria-describedby={`${id}-help`}
          onInput={(event) => change(event.currentTarget.value)}
        />
      )}
      <small class="help" id={`${id}-help`}>{parameter.help}</small>
    </>
  )
}

function Result({ command, answer }: { command: Command; answer: Answer }): VNode {
  return (
    <div role="status" class="result">
      {!answer.ok && <p class="problem">{answer.why}</p>}
      {answer.answer !== undefined && <Shown value={answer.answer} first={command.first} />}
    </div>
  )
}

function Shown({ value, first }: { value: Json; first: string[] }): VNode | null {
  if (value === null) return null
  if (Array.isArray(value)) return <AdminTable title="Answer" first={first} rows={rowsOf(value)} leftOut={0} deeds={() => []} act={() => {}} />
  if (!isFields(value)) return <p>{valueWords('', value)}</p>
  const place = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length)
  const shown = Object.entries(value).filter(([, each]) => each !== null).sort(([a], [b]) => place(a) - place(b))
  return (
    <dl class="fields-list">
      {shown.map(([name, each]) => (
        <div key={name}>
          <dt>{fieldWords(name)}</dt>
          <dd>{rowsOf(each).length > 0 ? <Shown value={each} first={first} /> : valueWords(name, each)}</dd>
        </div>
      ))}
    </dl>
  )
}
