/** The account's dialogs: its password, its devices, its end. */

import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

import type { DeviceInfo } from '../protocol'
import { changePassword, deleteAccount, listDevices, revokeDevice } from '../state/account'
import { me, notice, signOut } from '../state/chat'
import { agoWords } from '../text/time'
import { closeDialog, Dialog, dialog } from './Dialogs'
import { useFocus } from './focus'
import { Form } from './Form'
import { Icon, icons } from './Icon'
import { Password } from './Password'

const backToSettings = (): void => {
  dialog.value = 'settings'
}

export function ChangePassword(): VNode {
  const field = useFocus()
  const [old, setOld] = useState('')
  const [fresh, setFresh] = useState('')
  const done = (): void => {
    closeDialog()
    notice.value = 'The password is changed. All other devices are logged out.'
  }
  return (
    <Dialog title="Change the password">
      <Form button="Change it" act={() => changePassword(old, fresh)} done={done} back={backToSettings}>
        <input type="text" autocomplete="username" class="hidden" value={me.value ?? ''} readOnly tabIndex={-1} aria-hidden="true" />
        <Password id="old-password" label="Password now" value={old} set={setOld} field={field} />
        <Password id="new-password" label="New password" value={fresh} set={setFresh} fresh describedBy="new-help" />
        <p id="new-help" class="help">At least 8 characters. All your other devices are logged out.</p>
      </Form>
    </Dialog>
  )
}

export function Devices(): VNode {
  const [devices, setDevices] = useState<DeviceInfo[]>()
  const [why, setWhy] = useState<string>()
  const [sure, setSure] = useState(false)
  const look = (): void => {
    void listDevices().then((found) => {
      if (typeof found === 'string') setWhy(found)
      else setDevices(found)
    })
  }
  useEffect(look, [])
  const revoke = async (device: DeviceInfo): Promise<void> => {
    setWhy(await revokeDevice(device.id))
    look()
  }
  return (
    <Dialog title="Devices">
      <p class="help">Each login with the password made one. Who has a device in hand needs no password there.</p>
      {why && <p class="problem" role="alert">{why}</p>}
      {!devices && !why && <p class="help" role="status">Loading…</p>}
      <ul class="devices">
        {devices?.map((device) => (
          <li key={String(device.id)}>
            <Icon node={icons.MonitorSmartphone} />
            <span>
              <bdi class="title">{device.device || 'Unnamed'}</bdi>
              <small class="help">
                {device.current ? 'this one' : device.online ? 'online now' : `last seen ${agoWords(Number(device.seen))}`}
                {`, since ${new Date(Number(device.since)).toLocaleDateString()}`}
              </small>
            </span>
            {!device.current && (
              <button
                type="button"
                class="quiet"
                aria-label={`Log out ${device.device || 'the unnamed device'}`}
                onClick={() => void revoke(device)}
              >
                Log out
              </button>
            )}
          </li>
        ))}
      </ul>
      {sure ? (
        <div class="sure" role="alert">
          <p>All devices are logged out, this one too.</p>
          <div class="buttons">
            <button type="button" class="quiet" onClick={() => setSure(false)}>Stay</button>
            <button
              type="button"
              class="primary danger"
              onClick={() => {
                closeDialog()
                signOut(true)
              }}
            >
              Log out everywhere
            </button>
          </div>
        </div>
      ) : (
        <div class="buttons">
          <button type="button" class="quiet" onClick={backToSettings}>Back</button>
          <button type="button" class="quiet" onClick={() => setSure(true)}>Log out everywhere…</button>
        </div>
      )}
    </Dialog>
  )
}

export function DeleteAccount(): VNode {
  const field = useFocus()
  const [password, setPassword] = useState('')
  return (
    <Dialog title="Delete the account?">
      <p>It cannot be undone. The name is free for others then; what you said stays where it is.</p>
      <Form
        button={<>Delete <bdi>{me.value}</bdi></>}
        danger
        act={() => deleteAccount(password)}
        done={closeDialog}
        back={backToSettings}
        backLabel="Keep it"
      >
        <Password id="delete-password" label="Password" value={password} set={setPassword} field={field} />
      </Form>
    </Dialog>
  )
}
