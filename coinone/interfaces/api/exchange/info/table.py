"""Every request type of POST /info by name."""

from coinone.interfaces.api.exchange.info.absent import ABSENT
from coinone.interfaces.api.exchange.info.accounts import ACCOUNT
from coinone.interfaces.api.exchange.info.history import HISTORY
from coinone.interfaces.api.exchange.info.markets import MARKET
from coinone.interfaces.api.exchange.info.sources import InfoType

INFO_TYPES: dict[str, InfoType] = {kind.name: kind for kind in (*MARKET, *ACCOUNT, *HISTORY, *ABSENT)}
