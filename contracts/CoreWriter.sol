// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title How a contract acts on the exchange: it writes the action, and the next batch runs it.
/// @notice Lies in genesis at 0x3333333333333333333333333333333333333333, with Hyperliquid's interface and event.
/// The actor is msg.sender; `data` is 0x01, a three-byte action id, and the ABI encoding of its fields
/// (docs/protocol/contracts.md). Whether the action succeeds shows in the next batch only.
contract CoreWriter {
    event RawAction(address indexed user, bytes data);

    /// @dev Burns about 25,000 gas, as on Hyperliquid: an action is work for the exchange that gas must pay for.
    function sendRawAction(bytes calldata data) external {
        uint256 start = gasleft();
        while (start - gasleft() < 25_000) {}
        emit RawAction(msg.sender, data);
    }
}
