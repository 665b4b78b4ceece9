"""A view of the exchange from its leaves, for readers outside the node's process, such as trial calls.

Leaves are complete (exchange/state/leaves.py), so an exchange with the markets and one account, rebuilt from them,
answers about that account as the whole exchange does. Two things are not in leaves: the number of an address
(Table.EXCHANGE_NUMBER), and the best prices, which would need every order (one row under BESTS_KEY). Both are written
with each block and are under no root.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from coinone.base.primitives import rlp
from coinone.base.primitives.records import codec_of
from coinone.base.primitives.types import U64, Address
from coinone.rules.exchange.instruments.config import ExchangeConfig
from coinone.rules.exchange.state.exchange import Exchange
from coinone.rules.exchange.state.leaf_forms import ACCOUNT, GLOBALS, MARKET, ORDER
from coinone.rules.exchange.state.leaves import address_in
from coinone.rules.exchange.state.ledger import UNDER_ACCOUNTS
from coinone.rules.exchange.state.restore import exchange_from_leaves
from coinone.rules.state.database import Database, Table

BESTS_KEY = b"bests"  # META: best prices of all markets after the head block's last batch
Bests: TypeAlias = tuple[tuple[U64, U64], ...]  # bid and ask by market; 0 where a side is empty
Leaves: TypeAlias = Mapping[bytes, bytes | None]

_BESTS = codec_of(Bests)
_ACCOUNTS_KEPT = 32  # rebuilt exchanges of one account each, some 100 KiB per market
_BUILDER_SIZE = 8  # an order's leaf ends with the number of its builder's account


class ExchangeSeen:
    """The exchange of the rows in `database`, rebuilt an account at a time; it does not see later changes."""

    def __init__(self, config: ExchangeConfig, database: Database) -> None:
        self._config = config
        self._database = database
        kinds = (MARKET, GLOBALS)
        self._shared = [row for kind in kinds for row in database.scan(Table.EXCHANGE, kind)]
        self._bare = exchange_from_leaves(config, self._shared)
        self._bests = decode_bests(database.get(Table.META, BESTS_KEY))
        self._around: OrderedDict[Address, Exchange] = OrderedDict()

    def exchange(self, account: Address | None) -> Exchange:
        number = None if account is None else self._database.get(Table.EXCHANGE_NUMBER, account)
        if account is None or number is None:
            return self._bare
        found = self._around.get(account)
        if found is None:
            found = self._around[account] = self._rebuilt(number)
            if len(self._around) > _ACCOUNTS_KEPT:
                self._around.popitem(last=False)
        return found

    def best(self, market: int) -> tuple[int, int]:
        return self._bests[market] if market < len(self._bests) else (0, 0)

    def _rebuilt(self, number: bytes) -> Exchange:
        under = [row for kind in UNDER_ACCOUNTS for row in self._database.scan(Table.EXCHANGE, kind + number)]
        builders = [leaf[-_BUILDER_SIZE:] for key, leaf in under if key[:1] == ORDER]
        numbers = dict.fromkeys([number, *builders])
        accounts = [(ACCOUNT + n, self._database.get(Table.EXCHANGE, ACCOUNT + n)) for n in numbers]
        present = [(key, leaf) for key, leaf in accounts if leaf is not None]
        return exchange_from_leaves(self._config, [*self._shared, *present, *under])


def numbers_of(
    leaves: Leaves, is_known: Callable[[int], bool] = lambda number: False
) -> Iterator[tuple[Address, bytes]]:
    """Rows of Table.EXCHANGE_NUMBER for the accounts among `leaves` that are not known."""
    for key, leaf in leaves.items():
        if key[:1] == ACCOUNT and leaf is not None and not is_known(int.from_bytes(key[1:], "big")):
            yield address_in(leaf), key[1:]


def encode_bests(bests: Bests) -> bytes:
    return _BESTS.encode(bests)


def decode_bests(row: bytes | None) -> Bests:
    """Decode the best prices; None if no batch has been applied yet."""
    found: Bests = () if row is None else _BESTS.decode(rlp.decode(row))
    return found
