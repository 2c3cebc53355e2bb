/** The service worker: keeps the shell of the page, so that it opens without a connection.
 *
 * The page itself is asked for anew whenever the server is there; what has a hash in its name never
 * changes and is taken from the cache. Nothing of the chat passes through here.
 */

const worker = self as unknown as ServiceWorkerGlobalScope
const CACHE = 'shell-1'
/** Files of old versions that are kept beside the new. */
const MOST = 60

worker.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add('/')).then(() => worker.skipWaiting()))
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(worker.clients.claim())
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  // The operator's page is a view of the same one.
  if (request.mode === 'navigate' && /^\/(?:admin)?$/.test(url.pathname)) event.respondWith(freshOr(request))
  else if (url.pathname.startsWith('/assets/')) event.respondWith(keptOr(request))
  else if (/^\/(?:icon|apple-touch|manifest)/.test(url.pathname)) event.respondWith(freshOr(request))
})

// A notification was pressed: the page comes to the front, and goes to its room.
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { room } = (event.notification.data ?? {}) as { room?: string }
  if (room !== undefined) event.waitUntil(show(room))
})

async function show(room: string): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: 'window' })
  if (!page) return void (await worker.clients.openWindow(`/#${encodeURIComponent(room)}`))
  page.postMessage({ open: room })
  await page.focus()
}

/** From the server; from the cache if it does not answer. */
async function freshOr(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const key = request.mode === 'navigate' ? '/' : request
  try {
    const answer = await fetch(request)
    if (answer.ok) await cache.put(key, answer.clone())
    return answer
  } catch {
    return (await cache.match(key)) ?? Response.error()
  }
}

/** From the cache; from the server if it is not there yet. */
async function keptOr(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  const kept = await cache.match(request)
  if (kept) return kept
  const answer = await fetch(request)
  if (answer.ok) {
    await cache.put(request, answer.clone())
    const keys = await cache.keys()
    for (const old of keys.slice(0, Math.max(0, keys.length - MOST))) {
      if (new URL(old.url).pathname.startsWith('/assets/')) await cache.delete(old)
    }
  }
  return answer
}
