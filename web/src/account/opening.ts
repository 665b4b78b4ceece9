// What the chain asks of an address before it has an account (docs/protocol/accounts-and-credits.md).

export const OPENING = '11 USDC, of which 1 pays for opening the account'
