/** Frames of a byte stream (TCP or TLS): four bytes of length, big-endian, and a body.
 *
 * A WebSocket message is a body by itself; this is for clients that open a socket.
 */

const HEADER = 4

/** Why a stream cannot go on: the status code that `bye` would carry. */
export class BadFrame extends Error {
  constructor(readonly code: 'bad_frame' | 'frame_too_large') {
    super(code)
  }
}

/** A body as a frame. */
export function frame(body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length)
  new DataView(bytes.buffer).setUint32(0, body.length)
  bytes.set(body, HEADER)
  return bytes
}

/** Takes a stream in any pieces, and gives its bodies. */
export class Splitter {
  private pending = new Uint8Array(0)

  /** Longest body that is allowed now. */
  constructor(public allowed: number) {}

  /** Takes the next piece, and calls `take` with each body that is whole now. */
  push(piece: Uint8Array, take: (body: Uint8Array) => void): void {
    const bytes = new Uint8Array(this.pending.length + piece.length)
    bytes.set(this.pending)
    bytes.set(piece, this.pending.length)
    let at = 0
    for (;;) {
      const length = this.lengthAt(bytes, at)
      if (length === undefined || at + HEADER + length > bytes.length) break
      take(bytes.subarray(at + HEADER, at + HEADER + length))
      at += HEADER + length
    }
    this.pending = bytes.slice(at)
  }

  /** Bytes that are known to be still missing from the frame that has begun. */
  get missing(): number {
    if (this.pending.length === 0) return 0
    const length = this.lengthAt(this.pending, 0)
    return length === undefined
      ? HEADER - this.pending.length
      : HEADER + length - this.pending.length
  }

  private lengthAt(bytes: Uint8Array, at: number): number | undefined {
    if (bytes.length - at < HEADER) return undefined
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0)
    if (length === 0) throw new BadFrame('bad_frame')
    if (length > this.allowed) throw new BadFrame('frame_too_large')
    return length
  }
}
