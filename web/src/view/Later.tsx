/** A view whose code is loaded when it is first asked for. */

import type { ComponentType, VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'

interface Props {
  load: () => Promise<{ default: ComponentType }>
  /** What is shown until it is there, or instead of it. */
  shell: (text: string) => VNode
}

export function Later({ load, shell }: Props): VNode {
  const [View, setView] = useState<ComponentType>()
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    load().then((module) => setView(() => module.default), () => setFailed(true))
  }, [])
  if (View) return <View />
  return shell(failed ? 'This part could not be loaded. Reload the page when there is a connection.' : 'Loading…')
}
