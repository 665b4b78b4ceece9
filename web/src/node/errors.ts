// Refusals in words that tell a trader what to do next. What is not known here is shown as the node said it.

const WORDS: [RegExp, string][] = [
  [/insufficient margin/i, 'Not enough margin. Use a smaller size, more leverage, or deposit.'],
  [/minimum value/i, 'The order is too small: at least 10 USDC.'],
  [/post.?only order would have immediately matched/i, 'Post-only: earlier orders were in its way, so it was not placed.'],
  [/could not immediately match/i, 'Nothing to trade against at this price, so the order was cancelled.'],
  [/reduce.?only order would increase/i, 'Reduce-only: the order would have grown the position.'],
  [/divisible by tick|tick size|invalid price/i, 'The price does not fit the tick size.'],
  [/invalid size|lot size/i, 'The size does not fit: larger than the market takes, or no multiple of the lot.'],
  [/never placed, already canceled, or filled/i, 'The order is no longer open: it was filled or cancelled before.'],
  [/that far away|too far from|price band/i, 'The price is too far from the market.'],
  [/open interest/i, 'The market is at its open-interest limit: only orders that reduce are taken.'],
  [/user or api wallet .* does not exist|no account|unknown (signer|agent|account)/i,
    'The chain does not know this account or trading key. Deposit first, or enable trading again.'],
  [/too many extra agents/i, 'This account has three trading keys already: revoke one of them first.'],
  [/agent.*expired|expired.*agent/i, 'The trading key has expired. Enable trading again.'],
  [/only orders that reduce|stale|no fresh oracle/i, 'The market has no fresh oracle price: only cancels and reductions are taken.'],
  [/halted/i, 'Trading in this market is halted.'],
  [/too many open orders/i, 'Too many open orders: cancel some first.'],
  [/maximum position/i, 'The position would be larger than the market allows.'],
  [/cannot decrease leverage/i, 'This position needs more margin than the account has at that leverage.'],
  [/insufficient (balance|funds)|not enough/i, 'The balance is too small for this.'],
  [/too many requests/i, 'The node takes no more from this internet address for a moment: all pages and programs there share a limit. Try again in a few seconds.'],
  [/rate limit|too many|credits|quota/i, 'Too many actions for this account. Wait a moment.'],
  [/nonce/i, 'The action came too late or twice. Try again.'],
  [/user rejected|user denied/i, 'You declined in the wallet.'],
]

export function inWords(fault: unknown): string {
  const said = typeof fault === 'string' ? fault : ((fault as { message?: string })?.message ?? 'Something went wrong.')
  return WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? said.replace(/\s*asset=\d+$/, '')
}
