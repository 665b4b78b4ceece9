// npm's solc behind the two flags with which forge calls a compiler, whose own downloads it would else ask for.
const solc = require("solc"), fs = require("fs");

if (process.argv.includes("--version")) {
  const version = solc.version().replace("Emscripten.clang", "Linux.g++");
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${version}`);
} else {
  process.stdout.write(solc.compile(fs.readFileSync(0, "utf8")));
}
