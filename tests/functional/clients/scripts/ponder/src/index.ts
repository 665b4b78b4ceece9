// Each event with what the contract itself says in the state of that block.
import { ponder } from "ponder:registry";
import { setting } from "ponder:schema";

ponder.on("Store:Set", async ({ event, context }) => {
  const { abi, address } = context.contracts.Store;
  const read = await context.client.readContract({ abi, address, functionName: "get" });
  await context.db.insert(setting).values({ id: event.id, value: event.args.value, read, block: event.block.number });
});
