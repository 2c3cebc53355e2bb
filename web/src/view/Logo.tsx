/** The sign of Klatch. */

import type { VNode } from 'preact'

export function Logo(): VNode {
  return (
    <svg class="logo" viewBox="0 0 512 512" aria-hidden="true">
      <rect class="logo-ground" width="512" height="512" rx="116" />
      <path
        class="logo-bubble"
        transform="translate(25 -6)"
        d="M118 136h226a52 52 0 0 1 52 52v100a52 52 0 0 1-52 52H236l-72 62a12 12 0 0 1-20-9v-53h-26a52 52 0 0 1-52-52V188a52 52 0 0 1 52-52z"
      />
      <g class="logo-ground">
        <circle cx="172" cy="232" r="24" />
        <circle cx="256" cy="232" r="24" />
        <circle cx="340" cy="232" r="24" />
      </g>
    </svg>
  )
}
