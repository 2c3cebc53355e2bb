/** After every test, however it ended: no klatchd and no client of it goes on. */

import { afterEach } from 'vitest'

import { stopAll } from './daemon'
import { killAll } from './terminal'

afterEach(async () => {
  killAll()
  await stopAll()
})
