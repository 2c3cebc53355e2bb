/** A figure over the last minutes, as a small line. */

import type { VNode } from 'preact'

import { KEPT, type Series } from '../state/admin'
import { byteWords, numberWords } from '../text/figures'

const [WIDTH, HEIGHT] = [240, 48]

export function Plot({ series }: { series: Series }): VNode {
  const { points, figure } = series
  const words = (value: number): string => `${figure.bytes ? byteWords(value) : numberWords(value)}${figure.unit}`
  const now = points.at(-1)
  const most = Math.max(...points, 0)
  const top = most || 1
  const place = (value: number, i: number): string => {
    const x = WIDTH - ((points.length - 1 - i) * WIDTH) / (KEPT - 1)
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}`
  }
  const line = points.map(place).join(' ')
  const begin = WIDTH - ((points.length - 1) * WIDTH) / (KEPT - 1)
  const label = now === undefined ? `${figure.title}: not known yet` : `${figure.title}: now ${words(now)}, at most ${words(most)}`
  return (
    <figure class="plot">
      <figcaption>
        <span>{figure.title}</span>
        <b>{now === undefined ? '–' : words(now)}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {points.length > 0 && (
          <>
            <polygon points={`${begin.toFixed(1)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} />
            <polyline points={points.length > 1 ? line : `0,${HEIGHT - 2} ${WIDTH},${HEIGHT - 2}`} />
          </>
        )}
      </svg>
      <small>at most {words(most)}</small>
    </figure>
  )
}
