// Compiles our own contracts and writes the runtime code that genesis carries.
//
//   npm install --ignore-scripts && node compile.mjs          writes the .hex files
//   node compile.mjs --check                                  fails if a .hex file differs from its source
//
// The settings are part of the result: no metadata hash (it would change with every comment), fixed optimiser
// runs, and an EVM version that every engine of the chain supports.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const outputs = [
  { source: "QuoteToken.sol", contract: "QuoteToken", path: "../coinone/rules/chain/networks/quote_token.hex" },
  { source: "CoreWriter.sol", contract: "CoreWriter", path: "../coinone/rules/chain/networks/core_writer.hex" },
];

function runtimeCode({ source, contract }) {
  const input = {
    language: "Solidity",
    sources: { [source]: { content: readFileSync(join(here, source), "utf8") } },
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 10000 },
      metadata: { bytecodeHash: "none", appendCBOR: false },
      outputSelection: { "*": { "*": ["evm.deployedBytecode.object"] } },
    },
  };
  const result = JSON.parse(solc.compile(JSON.stringify(input)));
  for (const message of result.errors ?? []) console.error(message.formattedMessage);
  if ((result.errors ?? []).length > 0) process.exit(1); // warnings too: this code holds everybody's money
  return result.contracts[source][contract].evm.deployedBytecode.object;
}

const check = process.argv.includes("--check");
for (const output of outputs) {
  const file = join(here, output.path);
  const code = runtimeCode(output).replace(/(.{100})/g, "$1\n") + "\n";
  if (!check) writeFileSync(file, code);
  else if (readFileSync(file, "utf8") !== code) {
    console.error(`${output.path} is not what ${output.source} compiles to`);
    process.exit(1);
  }
  console.log(`${output.contract}: ${(code.replace(/\n/g, "").length / 2)} bytes, solc ${solc.version()}`);
}
