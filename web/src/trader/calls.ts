// Calls of the quote token's contract, as its ABI writes them. Loaded when money is moved.

import { encodeFunctionData, parseAbi, type Hex } from 'viem'

const ERC20 = parseAbi(['function transfer(address to, uint256 amount)', 'function balanceOf(address owner) view returns (uint256)'])

export const transferCall = (to: Hex, amount: bigint): Hex => encodeFunctionData({ abi: ERC20, functionName: 'transfer', args: [to, amount] })

export const balanceCall = (owner: Hex): Hex => encodeFunctionData({ abi: ERC20, functionName: 'balanceOf', args: [owner] })
