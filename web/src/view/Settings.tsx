/** Settings of this browser, the account, and the way out. */

import type { VNode } from 'preact'
import { useState } from 'preact/hooks'

import { becomeAccount } from '../state/account'
import { account, admin, me, online, signOut, welcome } from '../state/chat'
import { askToNotify, permission } from '../state/notify'
import { goToAdmin } from '../state/place'
import { prefs, setPref, type Prefs } from '../state/prefs'
import { Avatar } from './Avatar'
import { closeDialog, Dialog, dialog } from './Dialogs'
import { Switch } from './Switch'

const THEMES: [Prefs['theme'], string][] = [['system', 'System'], ['light', 'Light'], ['dark', 'Dark']]

export function Settings(): VNode {
  const now = prefs.value
  const notifications = async (on: boolean): Promise<void> => setPref('notify', on && (await askToNotify()))
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
      <Switch
        on={now.notify && permission.value === 'granted'}
        set={(on) => void notifications(on)}
        title="Notifications"
      >
        <span role="status">{aboutNotifications(permission.value)}</span>
      </Switch>
      <Switch on={now.enterSends} set={(on) => setPref('enterSends', on)} title="Enter sends">
        {now.enterSends ? 'Shift and Enter begin a new line.' : 'Ctrl and Enter send; Enter begins a new line.'}
      </Switch>
      <Switch on={now.presence} set={(on) => setPref('presence', on)} title="Who joins and leaves">
        Show it between the messages.
      </Switch>
      <hr />
      <Account />
      <button type="button" class="quiet" onClick={() => (dialog.value = 'keys')}>Keys</button>
      {admin.value && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            closeDialog()
            goToAdmin(true)
          }}
        >
          Operator's page
        </button>
      )}
    </Dialog>
  )
}

function aboutNotifications(allowed: NotificationPermission | 'none'): string {
  switch (allowed) {
    case 'denied':
      return 'The browser does not allow them for this page; its own settings can change that.'
    case 'none':
      return 'This browser has none for this page.'
    default:
      return 'For mentions and direct messages, while you look elsewhere.'
  }
}

/** Who one is here, and the way out. */
function Account(): VNode {
  const [leaving, setLeaving] = useState(false)
  const server = welcome.value?.server ?? 'this server'
  const kind = admin.value ? 'Administrator of' : account.value ? 'Account on' : 'Guest on'
  return (
    <>
      <div class="account">
        <Avatar name={me.value ?? ''} />
        <span>
          <bdi class="title">{me.value}</bdi>
          <small class="help">{kind} {server}</small>
        </span>
        {!leaving && (
          <button type="button" class="quiet" onClick={() => setLeaving(true)}>Log out</button>
        )}
      </div>
      {leaving && <Sure stay={() => setLeaving(false)} />}
      <div class="links">
        {account.value ? (
          <>
            <button type="button" class="quiet" disabled={!online.value} onClick={() => (dialog.value = 'password')}>
              Change the password
            </button>
            <button type="button" class="quiet" disabled={!online.value} onClick={() => (dialog.value = 'devices')}>
              Devices
            </button>
            <button type="button" class="quiet" disabled={!online.value} onClick={() => (dialog.value = 'blocks')}>
              Blocked people
            </button>
            <button type="button" class="quiet" disabled={!online.value} onClick={() => (dialog.value = 'delete')}>
              Delete the account
            </button>
          </>
        ) : (
          welcome.value?.registration !== 'closed' && (
            <button
              type="button"
              class="quiet"
              disabled={!online.value}
              onClick={() => {
                closeDialog()
                becomeAccount()
              }}
            >
              Log out, and register this name
            </button>
          )
        )}
      </div>
    </>
  )
}

function Sure({ stay }: { stay: () => void }): VNode {
  const words = !account.value
    ? "A guest's name is free for others as soon as you log out."
    : online.value
      ? 'This browser forgets the account. You come back with your password.'
      : 'There is no connection: this browser forgets the account, but stays in its list of devices.'
  return (
    <div class="sure" role="alert">
      <p>{words}</p>
      <div class="buttons">
        <button type="button" class="quiet" onClick={stay}>Stay</button>
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
  )
}
