/** A list of the server's: a row for each session, room, ban, person; with what can be done about it. */

import type { VNode } from 'preact'
import { useState } from 'preact/hooks'

import type { Fields } from '../state/admin'
import { fieldWords, numberWords, valueWords } from '../text/figures'
import type { Wanted } from './AdminCommand'

/** Rows that are drawn; who looks for one among more types a part of it. */
const DRAWN = 100

interface Props {
  title: string
  /** The columns that come first. */
  first: string[]
  rows: Fields[]
  leftOut: number
  why?: string
  deeds: (row: Fields) => Wanted[]
  act: (wanted: Wanted) => void
}

export function AdminTable({ title, first, rows, leftOut, why, deeds, act }: Props): VNode {
  const [typed, setTyped] = useState('')
  const columns = columnsOf(rows, first)
  const wanted = typed.trim().toLowerCase()
  const found = wanted
    ? rows.filter((row) => columns.some((column) => valueWords(column, row[column]).toLowerCase().includes(wanted)))
    : rows
  const hidden = found.length - Math.min(found.length, DRAWN)
  const acts = rows.some((row) => deeds(row).length > 0)
  return (
    <section class="panel">
      <header>
        <h2>{title} <span class="total">{numberWords(rows.length + leftOut)}</span></h2>
        {rows.length > 6 && (
          <input
            type="search"
            placeholder="Find"
            aria-label={`Find in ${title}`}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        )}
      </header>
      {why && <p class="problem" role="alert">{why}</p>}
      {!why && rows.length === 0 && <p class="help">None.</p>}
      {found.length > 0 && (
        <div class="table" tabIndex={0} role="group" aria-label={title}>
          <table>
            <thead>
              <tr>
                {columns.map((column) => <th key={column} scope="col">{fieldWords(column)}</th>)}
                {acts && <th scope="col"><span class="hidden">Actions</span></th>}
              </tr>
            </thead>
            <tbody>
              {found.slice(0, DRAWN).map((row, i) => (
                <tr key={keyOf(row, first, i)}>
                  {columns.map((column) => (
                    <td key={column} class={typeof row[column] === 'number' ? 'number' : ''}><bdi>{valueWords(column, row[column])}</bdi></td>
                  ))}
                  {acts && (
                    <td class="row-deeds">
                      {deeds(row).map((deed) => (
                        <button
                          key={deed.command.command}
                          type="button"
                          class="quiet"
                          aria-label={`${fieldWords(deed.command.command)} ${valueWords('', row[first[0] ?? ''])}`}
                          onClick={() => act(deed)}
                        >
                          {fieldWords(deed.command.command)}
                        </button>
                      ))}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {hidden + leftOut > 0 && <p class="help">{numberWords(hidden + leftOut)} more are not shown.</p>}
    </section>
  )
}

const keyOf = (row: Fields, first: string[], i: number): string =>
  String(row['session'] ?? row['room'] ?? row['banned'] ?? row[first[0] ?? ''] ?? i)

/** Every field of any row, those of `first` in front. */
function columnsOf(rows: Fields[], first: string[]): string[] {
  const all = new Set(rows.flatMap((row) => Object.keys(row)))
  const begin = first.filter((name) => all.has(name))
  return [...begin, ...[...all].filter((name) => !begin.includes(name))]
}
