// Whether a line still lives: an open socket may say nothing for as long as its owner likes to believe it.
//
// Who has heard nothing for a while asks (ping). An answer (pong) that is late, with nothing else heard either, means that
// what is known may be old; one that is very late means a dead line. Where something is heard all the same, the answer
// may wait behind it: then the line is slow, and how old things are is told by their own times.

const QUIET_MS = 2500
/** A line that is not quiet is asked so often, for the round trip. */
const EVERY_MS = 15_000
const LATE_MS = 5000
const DEAD_MS = 10_000

export type Verdict = 'fine' | 'ask' | 'late' | 'dead'

export class Pulse {
  #heardAt: number
  #askedAt: number
  #isAsked = false

  constructor(nowMs: number) {
    this.#heardAt = this.#askedAt = nowMs
  }

  heard(nowMs: number): void {
    this.#heardAt = nowMs
  }

  asked(nowMs: number): void {
    this.#askedAt = nowMs
    this.#isAsked = true
  }

  /** The round trip in ms. */
  answered(nowMs: number): number {
    this.#isAsked = false
    return Math.round(nowMs - this.#askedAt)
  }

  /** Whether the answer is late, whatever else is heard. */
  isSlow(nowMs: number): boolean {
    return this.#isAsked && nowMs - this.#askedAt >= LATE_MS
  }

  judge(nowMs: number): Verdict {
    const quietMs = nowMs - this.#heardAt
    if (!this.#isAsked) return quietMs >= QUIET_MS || nowMs - this.#askedAt >= EVERY_MS ? 'ask' : 'fine'
    const waitedMs = Math.min(quietMs, nowMs - this.#askedAt)
    return waitedMs >= DEAD_MS ? 'dead' : waitedMs >= LATE_MS ? 'late' : 'fine'
  }
}
