// One node as the pages know it: questions, the stream, and how far its chain has come.

import { createContext } from 'svelte'
import { Feed } from './feed.svelte.ts'
import { Http } from './http.ts'
import { Network } from './network.svelte.ts'

export class NodeClient {
  readonly http: Http
  readonly feed: Feed
  readonly network: Network

  constructor(origin: string) {
    this.http = new Http(origin)
    this.feed = new Feed(`${origin.replace(/^http/, 'ws')}/ws`)
    this.network = new Network(origin, this.http, this.feed)
  }

  start(): void {
    this.feed.start()
    this.network.start()
  }
}

/** The node that served the page. */
export const [getNode, setNode] = createContext<NodeClient>()
