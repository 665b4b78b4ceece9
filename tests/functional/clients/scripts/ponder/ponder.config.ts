// ponder follows one contract, whose address the test gives, from the first block on.
import { createConfig } from "ponder";

const event = { type: "event", name: "Set", inputs: [{ name: "value", type: "uint256", indexed: false }] } as const;
const get = { type: "function", name: "get", inputs: [], outputs: [{ type: "uint256" }], stateMutability: "view" } as const;
const address = process.env.STORE as `0x${string}`;

export default createConfig({
  database: { kind: "pglite" },
  chains: { coinone: { id: 926002, rpc: process.env.RPC, pollingInterval: 500 } },
  contracts: { Store: { chain: "coinone", abi: [event, get], address, startBlock: 0 } },
});
