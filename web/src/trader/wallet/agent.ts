// The trading key: made in this browser, allowed by one signature of the wallet, able to trade and nothing else.
//
// The browser keeps it for all its tabs (vault.ts) until it expires or is revoked. An agent can place and cancel orders
// and set leverage; the chain refuses its transfers, withdrawals and approvals. On the chain a name belongs to one key
// of an account, so each browser has a name of its own: enabling a phone leaves the desk's key alone.

import type { Hex } from 'viem'
import type { TypedData } from '../../core/signing.ts'
import { forget, keep, recall } from './vault.ts'

export interface Agent {
  address: Hex
  name: string
  validUntilMs: number
  signTypedData(data: TypedData): Promise<Hex>
}

interface Stored {
  /** Whose key it is. */
  master: Hex
  key: Hex
  name: string
  validUntilMs: number
}

export const DEFAULT_DAYS = 7
const DAY_MS = 24 * 3600 * 1000
const DEVICE = 'coinone.device'
const DEVICE_DIGITS = 6 // of 16 letters that the chain gives a name, "page " takes five

/** The name of this browser's keys. */
export function deviceName(): string {
  let digits = localStorage.getItem(DEVICE) ?? ''
  if (!/^[0-9a-f]{6}$/.test(digits)) {
    const random = crypto.getRandomValues(new Uint8Array(DEVICE_DIGITS / 2))
    digits = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('')
    localStorage.setItem(DEVICE, digits)
  }
  return `page ${digits}`
}

/** The chain reads an agent's expiry from its name, as Hyperliquid's pages write it. */
export function approvedName(agent: { name: string; validUntilMs: number }): string {
  return `${agent.name} valid_until ${agent.validUntilMs}`
}

export async function newAgent(days: number, name: string): Promise<{ agent: Agent; key: Hex }> {
  const { generatePrivateKey } = await import('viem/accounts')
  const key = generatePrivateKey()
  return { key, agent: await load(key, name, Math.floor(Date.now() + days * DAY_MS)) }
}

export async function storedAgent(chainId: number, master: Hex): Promise<Agent | null> {
  const text = await recall(slot(chainId, master))
  if (!text) return null
  const stored = JSON.parse(text) as Stored
  if (stored.master === master && stored.validUntilMs >= Date.now()) return load(stored.key, stored.name, stored.validUntilMs)
  await forgetAgent(chainId, master)
  return null
}

/** Older versions of this page did not note whose a key is, and could keep one under another account: it would trade for
 * that one until it expires. */
export async function dropUnnamed(chainId: number, master: Hex): Promise<boolean> {
  const old = `coinone.agent.${chainId}.${master}`
  if ((await recall(old)) === null) return false
  await forget(old)
  return true
}

export async function storeAgent(chainId: number, master: Hex, agent: Agent, key: Hex): Promise<void> {
  const stored: Stored = { master, key, name: agent.name, validUntilMs: agent.validUntilMs }
  await keep(slot(chainId, master), JSON.stringify(stored))
  tabs.postMessage(slot(chainId, master))
}

export async function forgetAgent(chainId: number, master: Hex): Promise<void> {
  await forget(slot(chainId, master))
  tabs.postMessage(slot(chainId, master))
}

const tabs = new BroadcastChannel('coinone.agent')

/** Calls back when another tab of this browser stored or forgot the key of `master`. */
export function onOtherTab(chainId: number, master: Hex, changed: () => void): () => void {
  const hear = ({ data }: MessageEvent<string>): void => {
    if (data === slot(chainId, master)) changed()
  }
  tabs.addEventListener('message', hear)
  return () => tabs.removeEventListener('message', hear)
}

async function load(key: Hex, name: string, validUntilMs: number): Promise<Agent> {
  const { privateKeyToAccount } = await import('viem/accounts')
  const account = privateKeyToAccount(key)
  return {
    address: account.address.toLowerCase() as Hex,
    name,
    validUntilMs,
    signTypedData: (data) => account.signTypedData(data as Parameters<typeof account.signTypedData>[0]),
  }
}

function slot(chainId: number, master: Hex): string {
  return `coinone.trading-key.${chainId}.${master}`
}
