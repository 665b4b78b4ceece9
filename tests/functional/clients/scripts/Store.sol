// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A number that the drivers beside it set, read and hear of.
contract Store {
    uint256 private value;

    event Set(uint256 value);

    constructor(uint256 first) {
        set(first);
    }

    function set(uint256 next) public {
        value = next;
        emit Set(next);
    }

    function get() external view returns (uint256) {
        return value;
    }

    function fail() external pure {
        revert("not today");
    }
}
