"""The world state of contracts: accounts, storage, code, and the Merkle-Patricia trie over them."""
