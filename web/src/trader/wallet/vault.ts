// Where this browser keeps trading keys: encrypted in IndexedDB, under a key that the browser never hands out.
//
// So a copy of the disk's database, or a script that may read storage but not run here, finds no trading key. A script
// that runs in this page could use one, as it could use any open page: the content security policy is there for that.
// Where the browser has no cryptography for the page (plain HTTP beyond this computer), a key lives as long as its tab.

import { t } from '../../i18n/locale.svelte.ts'

const DATABASE = 'coinone'
const STORE = 'keys'
const WRAPPING = 'wrapping-key'

interface Sealed {
  iv: Uint8Array<ArrayBuffer>
  bytes: ArrayBuffer
}

/** Whether keys outlive their tab. */
export const isLasting = globalThis.crypto?.subtle !== undefined && globalThis.indexedDB !== undefined

export async function keep(name: string, text: string): Promise<void> {
  if (!isLasting) return sessionStorage.setItem(name, text)
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const bytes = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await wrappingKey(), new TextEncoder().encode(text))
  await run('readwrite', (store) => store.put({ iv, bytes } satisfies Sealed, name))
}

/** What is kept under `name`; null if nothing is, or nothing that can be read. */
export async function recall(name: string): Promise<string | null> {
  if (!isLasting) return sessionStorage.getItem(name)
  const sealed = (await run('readonly', (store) => store.get(name))) as Sealed | undefined
  if (!sealed) return null
  try {
    const bytes = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv }, await wrappingKey(), sealed.bytes)
    return new TextDecoder().decode(bytes)
  } catch {
    return null
  }
}

export async function forget(name: string): Promise<void> {
  if (!isLasting) return sessionStorage.removeItem(name)
  await run('readwrite', (store) => store.delete(name))
}

/** Made once a browser; of two tabs that make it at the same time, the first one's stays. */
async function wrappingKey(): Promise<CryptoKey> {
  const known = await run('readonly', (store) => store.get(WRAPPING))
  if (known) return known as CryptoKey
  const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  await run('readwrite', (store) => store.add(made, WRAPPING)).catch(() => undefined)
  return (await run('readonly', (store) => store.get(WRAPPING))) as CryptoKey
}

async function run(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1)
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE)
  const database = (await result(opening)) as IDBDatabase
  try {
    return await result(ask(database.transaction(STORE, mode).objectStore(STORE)))
  } finally {
    database.close()
  }
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error(t('connect.noStorage')))
  })
}
