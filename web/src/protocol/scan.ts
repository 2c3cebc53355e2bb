/** Looks through a body before it is decoded: what the protocol calls malformed is refused here,
 * without reserving memory for any length that the body only claims to have.
 */

import { BOUNDS } from './spec.gen'

/** The body breaks the rules of chapter 3 of the protocol. */
export class Malformed extends Error {
  constructor(
    readonly code: 'bad_frame' | 'too_deep',
    why: string,
  ) {
    super(why)
  }
}

/** Throws `Malformed` unless `body` is exactly one sound MessagePack value. */
export function scan(body: Uint8Array): void {
  const scanner = new Scanner(body)
  scanner.value(0)
  if (scanner.at !== body.length) throw bad('bytes follow the value')
}

const bad = (why: string): Malformed => new Malformed('bad_frame', why)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 0x7f) return false
  return true
}

class Scanner {
  at = 0
  private readonly view: DataView

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  value(depth: number): void {
    const marker = this.uint(1)
    if (marker <= 0x7f || marker >= 0xe0) return
    if (marker <= 0x8f) return this.map(marker & 0x0f, depth)
    if (marker <= 0x9f) return this.array(marker & 0x0f, depth)
    if (marker <= 0xbf) return void this.str(marker & 0x1f)
    switch (marker) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return void this.take(this.uint(1 << (marker - 0xc4)))
      case 0xca:
        return void this.take(4)
      case 0xcb:
        return void this.take(8)
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return void this.take(1 << (marker - 0xcc))
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return void this.take(1 << (marker - 0xd0))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return void this.str(this.uint(1 << (marker - 0xd9)))
      case 0xdc:
      case 0xdd:
        return this.array(this.uint(2 << (marker - 0xdc)), depth)
      case 0xde:
      case 0xdf:
        return this.map(this.uint(2 << (marker - 0xde)), depth)
      default:
        throw bad('an extension type, or the unused byte')
    }
  }

  private array(count: number, depth: number): void {
    if (depth === BOUNDS.depth) throw new Malformed('too_deep', 'it nests too deeply')
    if (count > BOUNDS.arrayItems) throw bad('too many items')
    for (let i = 0; i < count; i++) this.value(depth + 1)
  }

  private map(count: number, depth: number): void {
    if (depth === BOUNDS.depth) throw new Malformed('too_deep', 'it nests too deeply')
    if (count > BOUNDS.mapEntries) throw bad('too many entries')
    const keys = new Set<string>()
    for (let i = 0; i < count; i++) {
      const key = this.key()
      if (keys.has(key)) throw bad('a key stands there twice')
      keys.add(key)
      this.value(depth + 1)
    }
  }

  private key(): string {
    const marker = this.uint(1)
    const short = marker >= 0xa0 && marker <= 0xbf
    if (!short && (marker < 0xd9 || marker > 0xdb)) throw bad('a key is not a string')
    const bytes = this.str(short ? marker & 0x1f : this.uint(1 << (marker - 0xd9)))
    // Keys are short; the decoder of the browser takes its time to begin.
    return bytes.length < 64 && isAscii(bytes) ? String.fromCharCode(...bytes) : utf8.decode(bytes)
  }

  private str(length: number): Uint8Array {
    const bytes = this.take(length)
    if (isAscii(bytes)) return bytes
    try {
      utf8.decode(bytes)
      return bytes
    } catch {
      throw bad('a string is not UTF-8')
    }
  }

  private uint(width: number): number {
    if (this.at + width > this.bytes.length) throw bad('it ends inside a value')
    const at = this.at
    this.at += width
    if (width === 1) return this.view.getUint8(at)
    return width === 2 ? this.view.getUint16(at) : this.view.getUint32(at)
  }

  private take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw bad('it ends inside a value')
    const taken = this.bytes.subarray(this.at, this.at + length)
    this.at += length
    return taken
  }
}
