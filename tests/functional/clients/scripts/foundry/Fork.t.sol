// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Store} from "./Store.sol";

interface Env {
    function envAddress(string calldata name) external view returns (address);
}

/// What `forge test --fork-url` runs: the node's contract, read and written in a fork.
contract ForkTest {
    Env private constant VM = Env(address(uint160(uint256(keccak256("hevm cheat code")))));

    function test_the_deployed_contract_is_there() external {
        Store store = Store(VM.envAddress("STORE"));
        require(store.get() == 42, "the node's value");
        store.set(7);
        require(store.get() == 7, "the fork's value");
    }
}
