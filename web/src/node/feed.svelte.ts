// The stream: one WebSocket, any number of subscriptions, and a promise to come back.
//
// A lost socket is normal life (laptops sleep, nodes restart): the feed says so, tries again with growing pauses, and
// subscribes to everything anew. Each channel starts with a snapshot, so nothing has to be remembered over the gap.
// A subscription may be refused, where the address has asked for too much: it is asked for again, with growing pauses.
// Until it is taken, what it is about is not known, which is not the same as nothing.
// A socket that is open and says nothing is asked (pulse.ts): what it told is called old once the answer is late, and
// the socket is given up once it is very late. A new one counts as open when something fresh came through it.

import { SvelteSet } from 'svelte/reactivity'
import { pauseMs } from '../core/pauses.ts'
import { Pulse } from './pulse.ts'

export type Subscription = { type: string; [field: string]: unknown }
type Handler = (data: unknown) => void

const CHECK_MS = 1000
const PAUSES_MS = [300, 700, 1500, 3000, 5000]
const REFUSED_PAUSES_MS = [1000, 2000, 4000, 8000]
const REFUSAL = /^Invalid subscription (\{.*\})$/s
const CHANNEL_OF: Record<string, string> = { userEvents: 'user' }

interface Entry {
  subscription: Subscription
  handlers: Set<Handler>
  refusals: number
}

export class Feed {
  /** `late`: what was told may be old, as the line says nothing or lags behind. */
  state = $state<'connecting' | 'open' | 'late' | 'gone'>('connecting')
  latencyMs = $state<number | null>(null)
  /** Counts connections made, so that effects can load again after each. */
  generation = $state(0)

  #socket: WebSocket | null = null
  #subscriptions = new Map<string, Entry>()
  /** What the node has taken on this connection: its snapshot is here, or comes with the next message. */
  #taken = new SvelteSet<string>()
  #failures = 0
  #pulse = new Pulse(0)

  #timers: ReturnType<typeof setTimeout>[] = []
  #isStopped = false

  readonly #url: string
  /** Subscriptions that the node refused and has not taken since, of this line and all beside it. */
  readonly refused: SvelteSet<string>

  constructor(url: string, refused = new SvelteSet<string>()) {
    this.#url = url
    this.refused = refused
  }

  /** Another line to the same node. */
  beside(): Feed {
    return new Feed(this.#url, this.refused)
  }

  start(): void {
    this.#connect()
    this.#timers.push(setInterval(() => this.#check(), CHECK_MS))
    document.addEventListener('visibilitychange', this.#wake)
  }

  /** End for good. */
  stop(): void {
    this.#isStopped = true
    this.#timers.forEach(clearTimeout)
    document.removeEventListener('visibilitychange', this.#wake)
    this.#socket?.close()
    this.#subscriptions.forEach((_, key) => this.refused.delete(key))
  }

  /** Whether what this subscription tells is as the node has it now. */
  isTaken(subscription: Subscription): boolean {
    return this.#taken.has(JSON.stringify(subscription)) && this.state === 'open'
  }

  /** A woken laptop should not wait for the timer. */
  #wake = (): void => {
    if (!document.hidden) this.#check()
  }

  subscribe(subscription: Subscription, handler: Handler): () => void {
    const key = JSON.stringify(subscription)
    let entry = this.#subscriptions.get(key)
    if (!entry) {
      entry = { subscription, handlers: new Set(), refusals: 0 }
      this.#subscriptions.set(key, entry)
      this.#send({ method: 'subscribe', subscription })
    }
    entry.handlers.add(handler)
    return () => {
      entry.handlers.delete(handler)
      if (entry.handlers.size > 0 || this.#subscriptions.get(key) !== entry) return
      this.#subscriptions.delete(key)
      this.#taken.delete(key)
      if (!this.refused.delete(key)) this.#send({ method: 'unsubscribe', subscription })
    }
  }

  #send(message: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #connect(): void {
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    socket.onopen = () => {
      this.#pulse = new Pulse(performance.now())
      this.#ping() // before what makes the node read: its answer would wait for that
      for (const { subscription } of this.#subscriptions.values()) this.#send({ method: 'subscribe', subscription })
      this.generation += 1
    }
    socket.onmessage = (event) => {
      if (this.#socket === socket && !this.#isStopped) this.#receive(String(event.data))
    }
    socket.onclose = () => this.#lose(socket)
  }

  #lose(socket: WebSocket): void {
    if (this.#socket !== socket || this.#isStopped) return
    this.#socket = null
    this.#taken.clear()
    this.state = 'gone'
    this.latencyMs = null
    const pause = pauseMs(PAUSES_MS, this.#failures++)
    this.#timers.push(setTimeout(() => this.#connect(), pause))
  }

  #receive(text: string): void {
    this.#pulse.heard(performance.now())
    const { channel, data } = JSON.parse(text) as { channel: string; data: unknown }
    if (channel === 'pong') return this.#answeredPing()
    if (channel === 'subscriptionResponse') this.#answered(data as { method: string; subscription: Subscription })
    else if (channel === 'error') this.#refuse(REFUSAL.exec(String(data))?.[1])
    else this.#hand(channel, data)
    if (channel === 'subscriptionResponse' || this.state === 'late' || this.state === 'open') return
    this.state = 'open' // something fresh, or the word that the address gets nothing fresh for now
    this.#failures = 0
  }

  #answeredPing(): void {
    this.latencyMs = this.#pulse.answered(performance.now())
    if (this.state === 'late') this.state = 'open'
  }

  #answered({ method, subscription }: { method: string; subscription: Subscription }): void {
    const key = JSON.stringify(subscription)
    const entry = this.#subscriptions.get(key)
    if (method !== 'subscribe' || !entry) return
    entry.refusals = 0
    this.refused.delete(key)
    this.#taken.add(key)
  }

  /** The node repeats what it refuses. */
  #refuse(asked: string | undefined): void {
    const key = asked === undefined ? '' : JSON.stringify(JSON.parse(asked))
    const entry = this.#subscriptions.get(key)
    if (!entry) return
    this.refused.add(key)
    const pause = pauseMs(REFUSED_PAUSES_MS, entry.refusals++)
    const socket = this.#socket
    this.#timers.push(setTimeout(() => {
      if (this.#socket === socket && this.#subscriptions.get(key) === entry) this.#send({ method: 'subscribe', subscription: entry.subscription })
    }, pause))
  }

  #hand(channel: string, data: unknown): void {
    for (const { subscription, handlers } of this.#subscriptions.values()) {
      if ((CHANNEL_OF[subscription.type] ?? subscription.type) !== channel) continue
      for (const handler of handlers) handler(data)
    }
  }

  #ping(): void {
    this.#pulse.asked(performance.now())
    this.#send({ method: 'ping' })
  }

  #check(): void {
    const socket = this.#socket
    if (!socket || socket.readyState !== WebSocket.OPEN) return
    const verdict = this.#pulse.judge(performance.now())
    if (verdict === 'ask') this.#ping()
    else if (verdict === 'late') this.distrust()
    else if (verdict === 'dead') {
      this.#lose(socket) // at once: a dead line never answers that it is closed
      socket.close()
    }
  }

  /** Whether the node's answer waits behind what the line carries: what comes through it may be old. */
  get isSlow(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN && this.#pulse.isSlow(performance.now())
  }

  /** What was told is old, until the node has answered again. */
  distrust(): void {
    if (this.state === 'open') this.state = 'late'
  }
}
