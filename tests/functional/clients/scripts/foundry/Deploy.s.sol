// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Store} from "./Store.sol";

interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// What `forge script --broadcast` sends: two contracts, one of them through the CREATE2 proxy, and two calls.
contract Deploy {
    bool public constant IS_SCRIPT = true;
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function run() external returns (address plain, address salted) {
        VM.startBroadcast();
        Store first = new Store(1);
        Store second = new Store{salt: keccak256(abi.encode(block.timestamp))}(2);
        first.set(3);
        second.set(4);
        VM.stopBroadcast();
        return (address(first), address(second));
    }
}
