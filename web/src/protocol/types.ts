/** The generated maps by the names that the rest of the code uses. */

export type * from './spec.gen'
export type { ByeEvent as Bye } from './spec.gen'
