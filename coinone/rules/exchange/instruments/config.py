"""The exchange's configuration at genesis: its reporters, token and addresses, and the first markets."""

from dataclasses import dataclass

from coinone.base.primitives.types import Address
from coinone.rules.exchange.wire.types import DomainRules

QUOTE_TOKEN_ADDRESS: Address = bytes.fromhex("00000000000000000000000000000000c0110001")
QUOTE_SYSTEM_ADDRESS: Address = bytes.fromhex("2000000000000000000000000000000000000000")


@dataclass(frozen=True, slots=True)
class MarketConfig:
    """The terms of a perpetual to be listed. Price unit 10^-(6 - sz_decimals), size unit 10^-sz_decimals."""

    name: str
    sz_decimals: int
    max_leverage: int
    impact_notional: int = 6_000_000_000  # micro-quote
    tiers: tuple[tuple[int, int], ...] = ()  # (notional in micro-quote, max leverage) above the first tier
    max_open_interest: int = 0  # lots; 0 = no cap
    first_leverage: int = 0  # of accounts that have chosen none; 0 = the maximum
    initial_mark: int = 1  # shown until the first oracle price; nothing trades on it


@dataclass(frozen=True, slots=True)
class ExchangeConfig:
    chain_id: int
    accept_foreign_user_signed: bool  # dev only (D5)
    accept_foreign_l1: bool
    markets: tuple[MarketConfig, ...]  # listed at genesis; after that markets and their terms are state
    reporters: tuple[Address, ...]
    balances: tuple[tuple[Address, int], ...] = ()  # genesis credits in micro-quote
    action_credits: int = 10_000  # what an account may send before it trades (D5); more on dev
    token_name: str = "USDC"
    token_address: Address = QUOTE_TOKEN_ADDRESS
    system_address: Address = QUOTE_SYSTEM_ADDRESS
    keyless: frozenset[Address] = frozenset()  # contracts of genesis; others: actions/addresses.py

    @property
    def domain_rules(self) -> DomainRules:
        return DomainRules(self.chain_id, self.accept_foreign_user_signed, self.accept_foreign_l1)
