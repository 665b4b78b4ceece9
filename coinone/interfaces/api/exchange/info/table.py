"""Every request type of POST /info by name."""

from coinone.interfaces.api.exchange.info.absent import ABSENT
from coinone.interfaces.api.exchange.info.accounts import ACCOUNT
from coinone.interfaces.api.exchange.info.markets import MARKET
from coinone.interfaces.api.exchange.info.sources import InfoType
from coinone.interfaces.api.exchange.info.stored import HISTORY

INFO_TYPES: dict[str, InfoType] = {kind.name: kind for kind in (*MARKET, *ACCOUNT, *HISTORY, *ABSENT)}
