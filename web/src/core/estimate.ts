// What an order would cost and do, computed here for the eye. The chain decides; these are estimates in floats.

export interface Level {
  px: number
  sz: number
}

export interface Sweep {
  averagePx: number
  worstPx: number
  filled: number
  /** All the levels were not enough, and the limit was not reached: what lies beyond them is not known. */
  ranOut: boolean
}

/** Walk the levels that are known as an order of `sz` would; best first. */
export function sweep(levels: readonly Level[], sz: number, limit: number | null, isBuy: boolean): Sweep | null {
  let left = sz
  let paid = 0
  let worstPx = 0
  let ranOut = true
  for (const level of levels) {
    if (limit !== null && (isBuy ? level.px > limit : level.px < limit)) {
      ranOut = false
      break
    }
    const taken = Math.min(left, level.sz)
    paid += taken * level.px
    left -= taken
    worstPx = level.px
    if (left <= 1e-12) {
      ranOut = false
      break
    }
  }
  const filled = sz - left
  return filled > 0 ? { averagePx: paid / filled, worstPx, filled, ranOut } : null
}

/** The worst average that the order could get: all that is not known trades at its limit. */
export function worstAverage({ averagePx, filled, ranOut }: Sweep, sz: number, limit: number): number {
  return ranOut ? (averagePx * filled + limit * (sz - filled)) / sz : averagePx
}

export interface LiquidationInput {
  size: number // signed position after the order
  markPx: number
  accountValue: number // equity after the order's costs
  otherMaintenance: number // maintenance margin of all other positions
  maxLeverage: number
}

/** Cross liquidation price: where equity meets maintenance margin, maintenance being half the initial margin at the market's
 * greatest leverage (design: liq = px - side * available / size / (1 - l * side)). */
export function liquidationPx({ size, markPx, accountValue, otherMaintenance, maxLeverage }: LiquidationInput): number | null {
  if (size === 0) return null
  const side = size > 0 ? 1 : -1
  const rate = 1 / (2 * maxLeverage)
  const available = accountValue - otherMaintenance - Math.abs(size) * markPx * rate
  const px = markPx - (side * available) / Math.abs(size) / (1 - rate * side)
  return px > 0 && Number.isFinite(px) ? px : null
}

export function ewma(previous: number | null, sample: number, weight = 0.3): number {
  return previous === null ? sample : previous + weight * (sample - previous)
}
