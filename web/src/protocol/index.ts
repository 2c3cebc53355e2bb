/** The client library of the Klatch protocol for browsers. See README.md. */

export { Client, SUBPROTOCOL, urlOf, type ClientOptions } from './client'
export { decodeIncoming, encodeRequest, readResult, type Incoming, type Method } from './codec'
export { Core, type CoreOptions, type Identity } from './core'
export type { ClientEvent, Link, Volatile, Why } from './events'
export type { Place } from './follow'
export { BadFrame, frame, Splitter } from './frame'
export { forgetful, type Outgoing, type OutboxStore } from './outbox'
export type { Failure, Outcome } from './requests'
export { Malformed } from './scan'
export { WrongShape } from './shape'
export { BOUNDS, STATUS, VERSION } from './spec.gen'
export type * from './types'
