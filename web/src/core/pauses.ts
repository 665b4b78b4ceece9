// Pauses that grow: what failed is tried again later each time, and a node that has much to do is left alone.

/** The pause in ms before try `nth`, from 0; the last one holds from then on. */
export function pauseMs(pauses: readonly number[], nth: number): number {
  return pauses[Math.min(nth, pauses.length - 1)]!
}

/** Wait for so long. */
export function pause(pauses: readonly number[], nth: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, pauseMs(pauses, nth)))
}
