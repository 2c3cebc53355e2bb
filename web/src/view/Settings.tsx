/** Settings of this browser, and the way out. */

import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'

import { me, signOut, welcome } from '../state/chat'
import { askToNotify, canNotify } from '../state/notify'
import { prefs, setPref, type Prefs } from '../state/prefs'
import { Avatar } from './Avatar'
import { closeDialog, Dialog, dialog } from './Dialogs'

const THEMES: [Prefs['theme'], string][] = [['system', 'System'], ['light', 'Light'], ['dark', 'Dark']]

export function Settings(): VNode {
  const [leaving, setLeaving] = useState(false)
  const [denied, setDenied] = useState(false)
  const now = prefs.value
  const notifications = async (on: boolean): Promise<void> => {
    const may = !on || canNotify() || (await askToNotify())
    setDenied(!may)
    setPref('notify', on && may)
  }
  return (
    <Dialog title="Settings">
      <fieldset class="choice">
        <legend>Appearance</legend>
        <div class="segments">
          {THEMES.map(([value, label]) => (
            <label key={value}>
              <input type="radio" name="theme" checked={now.theme === value} onChange={() => setPref('theme', value)} />
              <span>{label}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Switch on={now.notify} set={(on) => void notifications(on)} title="Notifications">
        {denied
          ? 'The browser does not allow them for this page.'
          : 'For mentions and direct messages, while you look elsewhere.'}
      </Switch>
      <Switch on={now.enterSends} set={(on) => setPref('enterSends', on)} title="Enter sends">
        {now.enterSends ? 'Shift and Enter begin a new line.' : 'Ctrl and Enter send; Enter begins a new line.'}
      </Switch>
      <Switch on={now.presence} set={(on) => setPref('presence', on)} title="Who joins and leaves">
        Show it between the messages.
      </Switch>
      <hr />
      <div class="account">
        <Avatar name={me.value ?? ''} />
        <span>
          <bdi class="title">{me.value}</bdi>
          <small class="help">Guest on {welcome.value?.server ?? 'this server'}</small>
        </span>
        {!leaving && (
          <button type="button" class="quiet" onClick={() => setLeaving(true)}>Log out</button>
        )}
      </div>
      {leaving && (
        <div class="sure" role="alert">
          <p>A guest's name is free for others as soon as you log out.</p>
          <div class="buttons">
            <button type="button" class="quiet" onClick={() => setLeaving(false)}>Stay</button>
            <button
              type="button"
              class="primary danger"
              onClick={() => {
                closeDialog()
                signOut()
              }}
            >
              Log out
            </button>
          </div>
        </div>
      )}
      <button type="button" class="quiet" onClick={() => (dialog.value = 'keys')}>Keys</button>
    </Dialog>
  )
}

interface SwitchProps {
  on: boolean
  set: (on: boolean) => void
  title: string
  children: ComponentChildren
}

function Switch({ on, set, title, children }: SwitchProps): VNode {
  return (
    <label class="switch">
      <span>
        {title}
        <small class="help">{children}</small>
      </span>
      <input type="checkbox" role="switch" checked={on} onChange={(event) => set(event.currentTarget.checked)} />
    </label>
  )
}
