// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

interface IToken {
    function transfer(address to, uint256 value) external returns (bool);
}

interface ICoreWriter {
    function sendRawAction(bytes calldata data) external;
}

/// @title A contract with an account on the exchange, for the tests: it deposits, reads, trades and withdraws
/// as Hyperliquid's examples do (hyper-evm-lib's TradingExample, L1Read).
contract CoreTrader {
    IToken private constant TOKEN = IToken(0x00000000000000000000000000000000C0110001);
    ICoreWriter private constant CORE = ICoreWriter(0x3333333333333333333333333333333333333333);
    address private constant SYSTEM = 0x2000000000000000000000000000000000000000;

    struct Position {
        int64 szi;
        uint64 entryNtl;
        int64 isolatedRawUsd;
        uint32 leverage;
        bool isIsolated;
    }

    struct Summary {
        int64 accountValue;
        uint64 marginUsed;
        uint64 ntlPos;
        int64 rawUsd;
    }

    struct PerpAssetInfo {
        string coin;
        uint32 marginTableId;
        uint8 szDecimals;
        uint8 maxLeverage;
        bool onlyIsolated;
    }

    struct TokenInfo {
        string name;
        uint64[] spots;
        uint64 deployerTradingFeeShare;
        address deployer;
        address evmContract;
        uint8 szDecimals;
        uint8 weiDecimals;
        int8 evmExtraWeiDecimals;
    }

    error ReadFailed(uint160 precompile);

    /// What a transaction of ours saw when it wrote its last order.
    int64 public sizeSeen;

    function deposit(uint256 amount) external {
        TOKEN.transfer(SYSTEM, amount);
    }

    function give(address to, uint256 amount) external {
        TOKEN.transfer(to, amount);
    }

    function order(uint32 asset, bool isBuy, uint64 limitPx, uint64 sz, uint8 tif, uint128 cloid) external {
        _act(1, abi.encode(asset, isBuy, limitPx, sz, false, tif, cloid));
        sizeSeen = position(uint16(asset)).szi;
    }

    function cancel(uint32 asset, uint128 cloid) external {
        _act(11, abi.encode(asset, cloid));
    }

    function withdraw(uint64 amount) external {
        _act(6, abi.encode(SYSTEM, uint64(0), amount));
    }

    function position(uint16 perp) public view returns (Position memory) {
        return abi.decode(_read(0x0800, abi.encode(address(this), perp)), (Position));
    }

    function withdrawable() external view returns (uint64) {
        return abi.decode(_read(0x0803, abi.encode(address(this))), (uint64));
    }

    function prices(uint32 perp) external view returns (uint64 mark, uint64 oracle, uint64 bid, uint64 ask) {
        mark = abi.decode(_read(0x0806, abi.encode(perp)), (uint64));
        oracle = abi.decode(_read(0x0807, abi.encode(perp)), (uint64));
        (bid, ask) = abi.decode(_read(0x080e, abi.encode(perp)), (uint64, uint64));
    }

    function batchNumber() external view returns (uint64) {
        return abi.decode(_read(0x0809, ""), (uint64));
    }

    function perpAssetInfo(uint32 perp) external view returns (PerpAssetInfo memory) {
        return abi.decode(_read(0x080a, abi.encode(perp)), (PerpAssetInfo));
    }

    function tokenInfo(uint32 token) external view returns (TokenInfo memory) {
        return abi.decode(_read(0x080c, abi.encode(token)), (TokenInfo));
    }

    function summary() external view returns (Summary memory) {
        return abi.decode(_read(0x080f, abi.encode(uint32(0), address(this))), (Summary));
    }

    function exists(address user) external view returns (bool) {
        return abi.decode(_read(0x0810, abi.encode(user)), (bool));
    }

    function _act(uint24 action, bytes memory fields) private {
        CORE.sendRawAction(abi.encodePacked(uint8(1), action, fields));
    }

    function _read(uint160 precompile, bytes memory input) private view returns (bytes memory) {
        (bool ok, bytes memory output) = address(precompile).staticcall(input);
        if (!ok) revert ReadFailed(precompile);
        return output;
    }
}
