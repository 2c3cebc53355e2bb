/** The network between a browser and its server, which can go dead without a word: what was sent is lost, nobody is
 * told, and connections that are begun meanwhile stand and hear nothing.
 */

import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

type Way = 'up' | 'down'

/** Those that are open: a test that fails leaves them to the runner's end. */
const open = new Set<Link>()
process.once('exit', () => open.forEach((link) => link.close()))

export class Link {
  private readonly dead = new Set<Way>()
  private readonly sockets = new Set<Socket>()
  /** The ways on which something was lost, for each connection. */
  private readonly lost = new Set<Set<Way>>()
  private readonly server: Server

  private constructor(private readonly to: number) {
    this.server = createServer((near) => this.join(near))
    open.add(this)
  }

  /** A way to a port of this machine. */
  static async to(port: number): Promise<Link> {
    const link = new Link(port)
    await new Promise<void>((resolve) => link.server.listen(0, '127.0.0.1', resolve))
    return link
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
  }

  /** Nothing passes any more: towards the server, from it, or both. */
  cut(...ways: Way[]): void {
    for (const way of ways.length > 0 ? ways : (['up', 'down'] as const)) this.dead.add(way)
  }

  /** What comes from now on passes. Connections that were there stay dead, and are told nothing. */
  mend(): void {
    this.dead.clear()
    for (const lost of this.lost) lost.add('up').add('down')
    this.lost.clear()
  }

  /** Ends all connections so that both ends know. */
  reset(): void {
    for (const socket of this.sockets) socket.resetAndDestroy()
    this.sockets.clear()
  }

  close(): void {
    open.delete(this)
    this.reset()
    this.server.close()
  }

  private join(near: Socket): void {
    const far = connect(this.to, '127.0.0.1')
    const lost = new Set<Way>()
    this.lost.add(lost)
    for (const [from, into, way] of [[near, far, 'up'], [far, near, 'down']] as const) {
      this.sockets.add(from)
      from.setNoDelay(true)
      // A piece that is lost takes all after it with it, as it would on a real way.
      const gone = (): boolean => {
        if (this.dead.has(way)) lost.add(way)
        return lost.has(way)
      }
      from.on('data', (piece) => gone() || into.write(piece))
      from.on('end', () => gone() || into.end())
      from.on('close', () => gone() || into.destroy())
      from.on('error', () => gone() || into.destroy())
    }
  }
}
