import { onchainTable } from "ponder";

export const setting = onchainTable("setting", (t) => ({
  id: t.text().primaryKey(),
  value: t.bigint().notNull(),
  read: t.bigint().notNull(),
  block: t.bigint().notNull(),
}));
