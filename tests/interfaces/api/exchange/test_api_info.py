"""Info requests of current clients to a node: each is answered, or refused by name."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from coinone.interfaces.api.admission.weights import RateLimits
from coinone.interfaces.api.exchange.info import reads
from coinone.interfaces.api.exchange.json.accounts import agent_json
from coinone.interfaces.api.http.asgi import HttpError
from coinone.interfaces.api.service import Service
from coinone.interfaces.client import actions
from coinone.interfaces.client.dev import dev_keys
from coinone.interfaces.client.signing import Domain, Signer, sign_action
from coinone.node.network.peering import NOBODY_SEEN
from coinone.node.networks import load_network
from coinone.node.node import ChainReader, Node
from coinone.rules.exchange.actions.transfers import withdrawable
from coinone.rules.exchange.rows.tables import MarketStatus

T = TypeVar("T")
TRADER = Signer(dev_keys()[0])
USER = "0x" + TRADER.address.hex()
NEWCOMER = "0x" + "11" * 20

pytestmark = pytest.mark.usefixtures("calls_on_demand")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One for all questions here: only the first test places orders."""
    made = Node(load_network("dev"), tmp_path_factory.mktemp("node"), map_size_bytes=2**28)
    made.start()
    yield made
    made.stop()


def served(node: Node, scenario: Callable[[Service], Awaitable[T]]) -> T:
    """What `scenario` comes to beside a running interface."""

    async def run() -> T:
        service = Service(node, lambda: NOBODY_SEEN, 1200)
        await service.start()
        try:
            return await scenario(service)
        finally:
            await service.stop()

    return asyncio.run(run())


async def ask(service: Service, kind: str, **fields: Any) -> Any:
    body = json.dumps({"type": kind, **fields}).encode()
    return json.loads(await service.info.answer_bytes(body, RateLimits(10**9).purse("")))


async def act(service: Service, action: Any, turn: int) -> Any:
    domain = Domain.coinone(service.node.network.chain_id)
    signed = sign_action(TRADER, domain, action, at_ms=service.node.view.time_ms + turn)
    answer = await service.relay.act(signed, 300)
    assert answer["status"] == "ok", answer
    return answer["response"]


def approve_agent(agent: bytes, name: str) -> Any:
    return {"type": "approveAgent", "agentAddress": "0x" + agent.hex(), "agentName": name}


def approve_builder(builder: bytes, rate: str) -> Any:
    return {"type": "approveBuilderFee", "maxFeeRate": rate, "builder": "0x" + builder.hex()}


def test_history_holds_orders_that_rest_and_orders_that_ended(node: Node) -> None:
    async def scenario(service: Service) -> list[Any]:
        for turn, price in enumerate(("90000", "91000")):
            await act(service, actions.order([actions.Order(0, True, "0.001", price)]), turn)
        await act(service, actions.cancel([(0, 1)]), 2)
        rows: list[Any] = await ask(service, "historicalOrders", user=USER)
        return rows

    rows = served(node, scenario)
    assert {row["order"]["oid"]: row["status"] for row in rows} == {1: "canceled", 2: "open"}
    assert [row["statusTimestamp"] for row in rows] == sorted(
        (row["statusTimestamp"] for row in rows), reverse=True
    )


def test_what_waits_unclaimed_is_a_transfer_from_its_sender(node: Node) -> None:
    """5 are less than opens an account: the receiver has none, and nothing was deposited."""

    async def scenario(service: Service) -> tuple[Any, Any]:
        await act(service, {"type": "usdSend", "destination": NEWCOMER, "amount": "5"}, 0)
        rows = await ask(service, "userNonFundingLedgerUpdates", user=NEWCOMER, startTime=0)
        return rows, await ask(service, "userRole", user=NEWCOMER)

    (row,), role = served(node, scenario)
    assert role == {"role": "missing"}
    assert row["delta"] == {
        "type": "internalTransfer",
        "usdc": "5.0",
        "user": USER,
        "destination": NEWCOMER,
        "fee": "0.0",
        "unclaimed": True,
    }


def test_the_portfolio_is_of_one_batch(node: Node) -> None:
    """A transfer of 7 executed between the reading of the account and that of its history is in neither: when it was in
    the history alone, the account seemed to have begun with 7 more."""

    async def scenario(service: Service) -> tuple[Any, Any, Any]:
        read, values = service.queries.run, []

        async def read_and_send(visit: Callable[[ChainReader], Any]) -> Any:
            found = await read(visit)
            monkeypatch.undo()
            await act(service, {"type": "usdSend", "destination": "0x" + "12" * 20, "amount": "7"}, 0)
            return found

        with pytest.MonkeyPatch.context() as monkeypatch:
            for number in range(3):
                if number == 1:
                    monkeypatch.setattr(service.queries, "run", read_and_send)
                portfolio = dict(await ask(service, "portfolio", user=USER))
                values.append(portfolio["allTime"]["accountValueHistory"])
        return values[0], values[1], values[2]

    before, meanwhile, after = served(node, scenario)
    assert before[0][1] == meanwhile[0][1] == after[0][1]
    assert before[-1][1] == meanwhile[-1][1] and float(after[-1][1]) == float(before[-1][1]) - 7


def test_an_unnamed_agent_is_shown_where_clients_look_for_it(node: Node) -> None:
    agent, named = b"\x71" * 20, b"\x72" * 20

    async def scenario(service: Service) -> tuple[list[Any], Any, Any]:
        before = await ask(service, "webData2", user=USER)
        await act(service, approve_agent(agent, ""), 20)
        await act(service, approve_agent(named, "bot"), 21)
        shown = await ask(service, "webData2", user=USER)
        view = await service.queries.run(
            lambda reader: reads.account_view(reader.exchange, TRADER.address, 0)
        )
        return (
            [before["agentAddress"], shown["agentAddress"], shown["agentValidUntil"]],
            [row["name"] for row in await ask(service, "extraAgents", user=USER)],
            agent_json(view),
        )

    shown, extra, state = served(node, scenario)
    assert shown == [None, "0x" + agent.hex(), None]
    assert extra == ["bot"]
    assert state == {"agentAddress": "0x" + agent.hex(), "agentValidUntil": None}


def test_a_key_whose_agency_is_over_is_nobodys_agent(node: Node) -> None:
    """As in `extraAgents`. To the last millisecond it is one, and no longer."""
    agent = b"\x73" * 20

    async def scenario(service: Service) -> tuple[Any, list[str]]:
        until = service.node.view.time_ms + 600_000
        await act(service, approve_agent(agent, f"short valid_until {until}"), 30)
        later = [
            await service.queries.run(lambda reader, at=at: reads.role_of(reader.exchange, agent, at)[0])
            for at in (until, until + 1)
        ]
        return await ask(service, "userRole", user="0x" + agent.hex()), later

    role, later = served(node, scenario)
    assert role == {"role": "agent", "data": {"user": USER}}
    assert later == ["agent", "missing"]


def test_a_transfer_to_an_agents_key_is_told_to_open_an_account(node: Node) -> None:
    """20 are sent and wait while it is an agent; when it is none, opening the account costs 1, and 19 are there."""
    key, agent = b"\x74" * 20, "0x" + "74" * 20

    async def equity(service: Service) -> str:
        state = await ask(service, "clearinghouseState", user=agent)
        return str(state["marginSummary"]["accountValue"])

    async def scenario(service: Service) -> tuple[Any, Any, list[str]]:
        await act(service, approve_agent(key, "bot"), 32)
        before = await ask(service, "preTransferCheck", user=agent)
        await act(service, {"type": "usdSend", "destination": agent, "amount": "20"}, 33)
        waiting = await equity(service)
        await act(service, approve_agent(bytes(20), "bot"), 34)
        return before, await ask(service, "preTransferCheck", user=agent), [waiting, await equity(service)]

    before, after, arrived = served(node, scenario)
    assert (before["fee"], before["userExists"], before["userHasSentTx"]) == ("1.0", False, False)
    assert arrived == ["0.0", "19.0"]
    assert (after["fee"], after["userExists"]) == ("0.0", True)


def test_builders_and_the_referral_code_are_told_as_they_were_set(node: Node) -> None:
    builder = Signer(dev_keys()[1]).address

    async def scenario(service: Service) -> tuple[Any, ...]:
        before = await ask(service, "referral", user=USER), await ask(service, "approvedBuilders", user=USER)
        await act(service, approve_builder(builder, "0.01%"), 30)
        await act(service, {"type": "setReferrer", "code": "FRIEND"}, 31)
        after = await ask(service, "referral", user=USER), await ask(service, "approvedBuilders", user=USER)
        await act(service, approve_builder(builder, "0%"), 32)
        return before, after, await ask(service, "approvedBuilders", user=USER)

    before, after, removed = served(node, scenario)
    assert (before[0]["referredBy"], before[1]) == (None, [])
    assert after[0]["referredBy"] == {"referrer": "0x" + "00" * 20, "code": "FRIEND"}
    assert (after[1], removed) == (["0x" + builder.hex()], [])


def test_what_opening_an_account_costs_is_told_before_a_transfer(node: Node) -> None:
    async def scenario(service: Service) -> list[str]:
        return [(await ask(service, "preTransferCheck", user=user))["fee"] for user in (USER, NEWCOMER)]

    assert served(node, scenario) == ["0.0", "1.0"]


def test_withdrawable_is_what_the_rules_say_of_a_restricted_account_too(node: Node) -> None:
    def read(reader: ChainReader) -> tuple[int, int, int]:
        rows = reader.exchange.rows
        slot = rows.slot_of(TRADER.address)
        assert slot is not None
        before = reads.account_view(reader.exchange, rows.address_of(slot), 0).withdrawable
        status, size = rows.markets["status"][0], rows.positions["size"][slot, 0]
        rows.markets["status"][0], rows.positions["size"][slot, 0] = MarketStatus.REDUCE_ONLY, size or 1
        shown = reads.account_view(reader.exchange, rows.address_of(slot), 0).withdrawable
        ruled = withdrawable(rows, slot)
        rows.markets["status"][0], rows.positions["size"][slot, 0] = status, size
        return before, shown, ruled

    before, shown, ruled = asyncio.run(node.query(read))
    assert (before > 0, shown, ruled) == (True, 0, 0)


def test_another_dex_is_refused_by_every_question(node: Node) -> None:
    async def scenario(service: Service) -> None:
        for kind in ("meta", "allMids", "clearinghouseState", "openOrders", "perpsAtOpenInterestCap"):
            named, null = [await ask(service, kind, user=NEWCOMER, dex=dex) for dex in ("", None)]
            if kind == "clearinghouseState":  # a batch may come between
                assert named.pop("time") <= null.pop("time")
            assert named == null, "null is no dex"
            with pytest.raises(HttpError, match="unknown dex"):
                await ask(service, kind, user=NEWCOMER, dex="xyz")

    served(node, scenario)


def test_options_of_another_type_are_refused_and_not_ignored(node: Node) -> None:
    async def scenario(service: Service) -> None:
        for kind, option in (("userFills", "aggregateByTime"), ("userFillsByTime", "reversed")):
            with pytest.raises(HttpError, match=option):
                await ask(service, kind, user=NEWCOMER, startTime=0, **{option: "yes"})

    served(node, scenario)


def test_each_spot_entry_has_its_tokens_and_its_context(node: Node) -> None:
    """Symbol converters look up universe[0] and both its tokens; asset contexts are read by the entry's index."""

    async def scenario(service: Service) -> Any:
        return await ask(service, "spotMetaAndAssetCtxs")

    meta, contexts = served(node, scenario)
    (entry,) = meta["universe"]
    names = [meta["tokens"][place]["name"] for place in entry["tokens"]]
    assert "/".join(names) == entry["name"] == contexts[entry["index"]]["coin"]
    assert [token["index"] for token in meta["tokens"]] == list(range(len(meta["tokens"])))


# The info types of @nktkas/hyperliquid 0.33 that we have no answer for, and say so.
REFUSED = {"usdcRouting"}
OF_CURRENT_CLIENTS = """
activeAssetData allBorrowLendReserveStates allMids allPerpMetas approvedBuilders borrowLendReserveState
borrowLendUserState candleSnapshot clearinghouseState delegations delegatorHistory delegatorRewards delegatorSummary
exchangeStatus extraAgents frontendOpenOrders fundingHistory gossipPriorityAuctionStatus gossipRootIps
historicalOrders isVip l2Book leadingVaults legalCheck liquidatable marginTable maxBuilderFee maxMarketOrderNtls meta
metaAndAssetCtxs openOrders orderStatus outcomeMeta outcomeTemplates perpAnnotation perpCategories
perpConciseAnnotations perpDeployAuctionStatus perpDexLimits perpDexStatus perpDexs perpsAtOpenInterestCap portfolio
preTransferCheck predictedFundings recentTrades referral settledOutcome spotClearinghouseState spotDeployState
spotMeta spotMetaAndAssetCtxs spotPairDeployAuctionStatus subAccounts subAccounts2 tokenDetails twapHistory
usdcRouting userAbstraction userBorrowLendInterest userDexAbstraction userFees userFills userFillsByTime userFunding
userNonFundingLedgerUpdates userRateLimit userRole userToMultiSigSigners userTwapSliceFills userTwapSliceFillsByTime
userVaultEquities validatorL1Votes validatorSummaries vaultDetails vaultSummaries webData2
"""


def test_every_question_of_current_clients_is_answered_or_refused_by_name(node: Node) -> None:
    fields = {
        "user": NEWCOMER,
        "coin": "BTC",
        "oid": 1,
        "id": 50,
        "builder": NEWCOMER,
        "startTime": 0,
        "endTime": None,
        "req": {"coin": "BTC", "interval": "1m", "startTime": 0},
    }

    async def scenario(service: Service) -> set[str]:
        refused = set()
        for kind in OF_CURRENT_CLIENTS.split():
            try:
                await ask(service, kind, **fields)
            except HttpError as error:
                assert error.status == 422 and kind in error.message
                refused.add(kind)
        return refused

    assert served(node, scenario) == REFUSED
