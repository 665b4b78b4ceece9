// The trading key: made in this browser tab, allowed by one signature of the wallet, able to trade and nothing else.
//
// It lives in sessionStorage, so it ends with the tabs that hold it; it expires by itself; the wallet can revoke it at
// any time. An agent can place and cancel orders and set leverage. The chain refuses its transfers, withdrawals and
// approvals. An account has one key of this name, so a new tab asks the open ones of this page for theirs.

import type { Hex } from 'viem'
import type { TypedData } from '../lib/signing.ts'

export interface Agent {
  address: Hex
  name: string
  validUntilMs: number
  signTypedData(data: TypedData): Promise<Hex>
}

interface Stored {
  key: Hex
  name: string
  validUntilMs: number
}

const AGENT_NAME = 'page'
export const DEFAULT_DAYS = 7
const DAY_MS = 24 * 3600 * 1000

/** The chain reads an agent's expiry from its name, as Hyperliquid's pages write it. */
export function approvedName(agent: { name: string; validUntilMs: number }): string {
  return `${agent.name} valid_until ${agent.validUntilMs}`
}

export async function newAgent(days: number): Promise<{ agent: Agent; key: Hex }> {
  const { generatePrivateKey } = await import('viem/accounts')
  const key = generatePrivateKey()
  return { key, agent: await load({ key, name: AGENT_NAME, validUntilMs: Math.floor(Date.now() + days * DAY_MS) }) }
}

export async function storedAgent(chainId: number, master: Hex): Promise<Agent | null> {
  const text = sessionStorage.getItem(slot(chainId, master)) ?? (await fromAnotherTab(slot(chainId, master)))
  if (!text) return null
  sessionStorage.setItem(slot(chainId, master), text)
  const stored = JSON.parse(text) as Stored
  if (stored.validUntilMs < Date.now()) {
    forgetAgent(chainId, master)
    return null
  }
  return load(stored)
}

export function storeAgent(chainId: number, master: Hex, agent: Agent, key: Hex): void {
  const stored: Stored = { key, name: agent.name, validUntilMs: agent.validUntilMs }
  sessionStorage.setItem(slot(chainId, master), JSON.stringify(stored))
}

export function forgetAgent(chainId: number, master: Hex): void {
  sessionStorage.removeItem(slot(chainId, master))
}

async function load({ key, name, validUntilMs }: Stored): Promise<Agent> {
  const { privateKeyToAccount } = await import('viem/accounts')
  const account = privateKeyToAccount(key)
  return {
    address: account.address.toLowerCase() as Hex,
    name,
    validUntilMs,
    signTypedData: (data) => account.signTypedData(data as Parameters<typeof account.signTypedData>[0]),
  }
}

const tabs = new BroadcastChannel('coinone.agent')
const OTHER_TAB_MS = 150

tabs.addEventListener('message', ({ data }: MessageEvent<{ wanted?: string }>) => {
  const text = data.wanted ? sessionStorage.getItem(data.wanted) : null
  if (text) tabs.postMessage({ slot: data.wanted, text })
})

/** What another tab of this page keeps in `wanted`; null if none answers soon. */
function fromAnotherTab(wanted: string): Promise<string | null> {
  return new Promise((resolve) => {
    const hear = ({ data }: MessageEvent<{ slot?: string; text?: string }>): void => {
      if (data.slot === wanted) done(data.text ?? null)
    }
    const timer = setTimeout(() => done(null), OTHER_TAB_MS)
    function done(text: string | null): void {
      clearTimeout(timer)
      tabs.removeEventListener('message', hear)
      resolve(text)
    }
    tabs.addEventListener('message', hear)
    tabs.postMessage({ wanted })
  })
}

function slot(chainId: number, master: Hex): string {
  return `coinone.agent.${chainId}.${master}`
}
