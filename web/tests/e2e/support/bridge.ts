/** Stands in for the daemon's web half where the daemon has none: serves `dist/` with the same
 * headers, and carries bodies between WebSockets and frames.
 */

import { readFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { WebSocketServer } from 'ws'

import { frame, Splitter } from '../../../src/protocol/frame'

const dist = fileURLToPath(new URL('../../../dist', import.meta.url))

const KINDS: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types klatch",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Whether the daemon has the page itself. */
export async function servesTheGui(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
  return answer?.ok === true && (await answer.text()).includes('id="app"')
}

export class Bridge {
  private constructor(
    private readonly http: Server,
    private readonly sockets: WebSocketServer,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/`
  }

  static async start(port: number): Promise<Bridge> {
    const http = createServer(serve)
    const sockets = new WebSocketServer({ server: http, path: '/ws', handleProtocols: () => 'klatch.1' })
    sockets.on('connection', (socket) => {
      const tcp = connect(port, '127.0.0.1')
      const splitter = new Splitter(65_536)
      tcp.on('data', (piece) => splitter.push(piece as Buffer, (body) => socket.send(body)))
      tcp.on('close', () => socket.close())
      tcp.on('error', () => socket.terminate())
      socket.on('message', (body) => tcp.write(frame(body as Buffer)))
      socket.on('close', () => tcp.destroy())
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return new Bridge(http, sockets)
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  const name = path === '/' ? '/index.html' : path
  const compressed = /\.(?:html|js|css|svg|webmanifest)$/.test(name)
  try {
    const file = readFileSync(join(dist, name))
    const body = compressed ? brotliCompressSync(file) : file
    const cache = name.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    response.writeHead(200, {
      ...HEADERS,
      'content-type': KINDS[extname(name)] ?? 'application/octet-stream',
      'cache-control': cache,
      ...(compressed ? { 'content-encoding': 'br' } : {}),
    })
    response.end(body)
  } catch {
    response.writeHead(404, HEADERS).end()
  }
}
