// Questions that are asked again and again, for what no stream tells. They cost the address weight, which orders need
// too, so a page that nobody sees asks nothing, and pauses grow while what is asked for is not to be had.

import { untrack } from 'svelte'

const FIRST_PAUSE_MS = 1000
const PAUSE_MAX_MS = 60_000

/** Ask now and then every `everyMs`, until the function that is returned is called. Where `ask` rejects, it is asked again
 * after 2 s, 4 s and so on. */
export function poll(ask: () => Promise<unknown>, everyMs: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let failures = 0
  let dueMs = 0
  let isOver = false

  async function turn(): Promise<void> {
    clearTimeout(timer)
    if (document.hidden) return
    dueMs = Infinity // while it is asked
    failures = await untrack(ask).then(() => 0, () => failures + 1)
    const pause = failures === 0 ? everyMs : Math.min(FIRST_PAUSE_MS * 2 ** failures, PAUSE_MAX_MS)
    dueMs = performance.now() + pause
    if (!isOver) timer = setTimeout(() => void turn(), pause)
  }
  const wake = (): void => {
    if (!document.hidden && performance.now() >= dueMs) void turn()
  }
  document.addEventListener('visibilitychange', wake)
  void turn()
  return () => {
    isOver = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', wake)
  }
}
