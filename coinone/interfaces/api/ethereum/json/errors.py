"""JSON-RPC errors with the codes that Ethereum clients act on.

web3.py, ethers and viem read a revert from code 3 and its ABI bytes from `data`; geth's wording of transaction refusals
("nonce too low: ...") is what their retry logic matches. Every other error carries Coinone's stable reason in
`data.reason`. Nothing internal is ever shown.
"""

from typing import Any

from coinone.base.primitives.abi import read_uint
from coinone.base.primitives.errors import (
    CoinoneError,
    DecodeError,
    InvalidInput,
    LimitExceeded,
    NotSupported,
)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
METHOD_NOT_SUPPORTED = -32004
LIMIT_EXCEEDED = -32005
EXECUTION_REVERTED = 3

_ERROR_STRING = bytes.fromhex("08c379a0")  # Error(string)
_PANIC = bytes.fromhex("4e487b71")  # Panic(uint256)
_TEXT_MAX = 1024


class RpcError(CoinoneError):
    """An error answer of one call."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def as_json(self) -> dict[str, Any]:
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def invalid_params(message: str) -> RpcError:
    return RpcError(INVALID_PARAMS, message)


def from_input_error(error: InvalidInput) -> RpcError:
    """The error for a request that breaks one of the node's rules."""
    if isinstance(error, DecodeError):
        code = INVALID_PARAMS
    elif isinstance(error, LimitExceeded):
        code = LIMIT_EXCEEDED
    elif isinstance(error, NotSupported):
        code = METHOD_NOT_SUPPORTED
    else:
        code = SERVER_ERROR
    return RpcError(code, str(error), {"reason": error.reason})


def reverted(output: bytes) -> RpcError:
    """The error of a reverted call: with Solidity's reason if there is one, and always with the bytes."""
    reason = revert_reason(output)
    message = f"execution reverted: {reason}" if reason else "execution reverted"
    return RpcError(EXECUTION_REVERTED, message, "0x" + output.hex())


def revert_reason(output: bytes) -> str | None:
    """The text of Error(string) or the number of Panic(uint256); None for anything else."""
    if output[:4] == _PANIC and len(output) == 36:
        return f"panic code {int.from_bytes(output[4:], 'big'):#x}"
    if output[:4] != _ERROR_STRING or len(output) < 68:
        return None
    offset, size = read_uint(output, 4), read_uint(output, 36)
    if offset != 32 or size > _TEXT_MAX or 68 + size > len(output):
        return None
    return output[68 : 68 + size].decode("utf-8", "replace")
