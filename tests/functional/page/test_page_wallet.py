"""The page with a wallet of the stranger's own: announced by EIP-6963, asked by EIP-1193, signing in Python.

The account is new: the faucet gives it gas and a first balance, it trades without asking the wallet, withdraws
to the Ethereum side and deposits some of that again.
"""

import json
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from web3 import Web3

from coinone.interfaces.client.local import LocalNode
from tests.functional.page.pages import Profile, needs_chromium, seen

pytestmark = needs_chromium

ANNOUNCE = """
const provider = {
  request: async ({ method, params }) => {
    const { result, error } = JSON.parse(await window.walletRequest(method, JSON.stringify(params ?? [])))
    if (error) throw Object.assign(new Error(error.message), error)
    return result
  },
  on: (event, listener) => { window.moveTo = (account) => listener(account ? [account] : []) },
}
const icon = 'data:image/gif;base64,R0lGODlhAQABAAAAACw='
const info = { uuid: crypto.randomUUID(), name: 'Test Wallet', icon, rdns: 'test.wallet' }
const announce = () => dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: { info, provider } }))
addEventListener('eip6963:requestProvider', announce)
"""


class Wallet:
    """An EIP-1193 wallet that starts on another chain and has to be told about this one."""

    def __init__(self, rpc_url: str) -> None:
        self.account = Account.create()
        self.chains = {"0x1"}
        self.chain = "0x1"
        self.asked: list[str] = []
        self._web3 = Web3(Web3.HTTPProvider(rpc_url))

    def request(self, method: str, params: str) -> str:
        self.asked.append(method)
        return json.dumps(getattr(self, method)(*json.loads(params)))

    def eth_requestAccounts(self) -> dict[str, Any]:
        return {"result": [self.account.address]}

    def eth_accounts(self) -> dict[str, Any]:
        """Without asking: the account, once its owner has allowed it to the page."""
        return {"result": [self.account.address] if "eth_requestAccounts" in self.asked else []}

    def eth_chainId(self) -> dict[str, Any]:
        return {"result": self.chain}

    def wallet_switchEthereumChain(self, wanted: dict[str, str]) -> dict[str, Any]:
        if wanted["chainId"] not in self.chains:
            return {"error": {"code": 4902, "message": "Unrecognized chain"}}
        self.chain = wanted["chainId"]
        return {"result": None}

    def wallet_addEthereumChain(self, chain: dict[str, Any]) -> dict[str, Any]:
        assert chain["rpcUrls"][0].endswith("/rpc") and chain["nativeCurrency"]["decimals"] == 18
        self.chains.add(chain["chainId"])
        self.chain = chain["chainId"]
        return {"result": None}

    def eth_signTypedData_v4(self, address: str, data: str) -> dict[str, Any]:
        typed = json.loads(data)
        assert address == self.account.address.lower()
        assert hex(typed["domain"]["chainId"]) == self.chain, "wallets sign for the chain they are on only"
        signed = self.account.sign_message(encode_typed_data(full_message=typed))
        return {"result": "0x" + signed.signature.hex()}

    def eth_sendTransaction(self, call: dict[str, str]) -> dict[str, Any]:
        eth = self._web3.eth
        transaction = {
            "chainId": int(self.chain, 16),
            "nonce": eth.get_transaction_count(self.account.address),
            "to": Web3.to_checksum_address(call["to"]),
            "data": call["data"],
            "value": int(call["value"], 16),
            "gas": 200_000,
            "gasPrice": eth.gas_price * 2,
        }
        raw = self.account.sign_transaction(transaction).raw_transaction
        return {"result": "0x" + bytes(eth.send_raw_transaction(raw)).hex()}


def test_a_new_wallet_is_funded_deposits_trades_and_withdraws(browser: Any, market_node: LocalNode) -> None:
    wallet = Wallet(market_node.rpc_url)
    request: Callable[[str, str], str] = wallet.request
    profile = Profile(browser)
    page = profile.open(market_node.url, ANNOUNCE, {"walletRequest": request})
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test Wallet").click()
    # The exchange does not know the account yet: the page offers the deposit, and on a dev network the faucet.
    page.get_by_role("dialog", name="Deposit and withdraw").get_by_role("button", name="Faucet").click()
    seen(page, "Test coins for gas")
    page.get_by_role("button", name="Enable trading").click()
    seen(page, "One-click trading is on")
    assert "wallet_addEthereumChain" in wallet.asked

    asked_before_trading = len(wallet.asked)
    page.get_by_role("radio", name="Market").click()
    page.locator("#ticket-amount").fill("0.001")
    page.get_by_role("button", name="Buy / long BTC").click()
    seen(page, "Bought 0.001 BTC")
    page.get_by_role("button", name="Close BTC at market").click()
    seen(page, "Sold 0.001 BTC")
    assert len(wallet.asked) == asked_before_trading, "trading asks the wallet nothing"

    transfer(page, "Withdraw", "50")
    seen(page, "Withdrawal on its way")
    in_wallet = page.get_by_text("50.00 USDC · ")
    page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
    in_wallet.wait_for()
    page.get_by_role("button", name="Close dialog").click()

    transfer(page, "Deposit", "20.5")
    seen(page, "Deposit arrived")
    assert "eth_sendTransaction" in wallet.asked
    page.get_by_role("tab", name="Transfers").click()
    rows = page.locator("#activity-table tbody tr")
    rows.filter(has_text="Withdrawal").get_by_text("50.00 USDC").wait_for()
    rows.filter(has_text="Deposit").get_by_text("20.50 USDC").wait_for()

    # A reload finds wallet, account and trading key again, and the wallet asks its owner nothing.
    wallet.asked.clear()
    wallet.asked.append("eth_requestAccounts")  # was allowed once
    page.reload()
    page.get_by_role("button", name="Wallet Test Wallet").wait_for()
    page.get_by_role("button", name="Buy / long BTC").wait_for()
    assert wallet.asked == ["eth_requestAccounts", "eth_accounts"]
    # After a disconnect it is asked nothing at all.
    page.get_by_role("button", name="Wallet").click()
    page.get_by_role("button", name="Disconnect").click()
    page.reload()
    page.get_by_role("button", name="Connect", exact=True).wait_for()
    assert wallet.asked == ["eth_requestAccounts", "eth_accounts"]
    profile.close()


def test_a_wallet_that_moves_to_another_account_signs_for_that_one(
    browser: Any, market_node: LocalNode
) -> None:
    wallet = Wallet(market_node.rpc_url)
    profile = Profile(browser)
    page = profile.open(market_node.url, ANNOUNCE, {"walletRequest": wallet.request})
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test Wallet").click()
    page.get_by_role("button", name="Close dialog").click()
    wallet.account = Account.create()  # what it is asked to sign for, it compares with this one
    page.evaluate("account => window.moveTo(account)", wallet.account.address)
    page.get_by_role("region", name="Account").get_by_role("button", name="Faucet").click()
    seen(page, "Test coins for gas")
    page.get_by_role("button", name="Enable one-click trading").click()
    page.get_by_role("button", name="Enable trading").click()
    seen(page, "One-click trading is on")
    page.evaluate("window.moveTo(null)")  # locked
    page.get_by_role("button", name="Connect", exact=True).wait_for()
    profile.close()


def test_a_wallet_that_is_unlocked_is_taken_up_again(browser: Any, market_node: LocalNode) -> None:
    """While the page is open, and when it was locked as the page was loaded. The owner is asked nothing."""
    wallet = Wallet(market_node.rpc_url)
    profile = Profile(browser)
    page = profile.open(market_node.url, ANNOUNCE, {"walletRequest": wallet.request})
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test Wallet").click()
    page.get_by_role("button", name="Close dialog").click()
    taken, connect = (
        page.get_by_role("button", name="Wallet Test Wallet"),
        page.get_by_role("button", name="Connect", exact=True),
    )
    taken.wait_for()
    for _ in range(2):
        page.evaluate("window.moveTo(null)")
        connect.wait_for()
        page.evaluate("account => window.moveTo(account)", wallet.account.address)
        taken.wait_for()
    wallet.asked.clear()  # eth_accounts gives none: it is locked
    page.reload()
    connect.wait_for()
    page.evaluate("account => window.moveTo(account)", wallet.account.address)
    taken.wait_for()
    assert wallet.asked == ["eth_accounts"]
    profile.close()


def test_a_remembered_wallet_is_waited_for_however_late_it_comes(
    browser: Any, market_node: LocalNode
) -> None:
    wallet = Wallet(market_node.rpc_url)
    wallet.asked.append("eth_requestAccounts")  # was allowed once
    late = f"localStorage.setItem('coinone.wallet', 'test.wallet'); window.arrive = () => {{ {ANNOUNCE}; announce() }}"
    profile = Profile(browser)
    page = profile.open("about:blank")
    page.clock.install()
    page.expose_function("walletRequest", wallet.request)
    page.add_init_script(f"if (location.protocol === 'http:') {{ {late} }}")
    page.goto(market_node.url)
    page.get_by_role("button", name="Looking for your wallet").wait_for()
    page.clock.fast_forward(10_100)
    page.get_by_role("button", name="Connect", exact=True).wait_for()
    page.evaluate("window.arrive()")
    page.get_by_role("button", name="Wallet Test Wallet").wait_for()
    profile.close()


SLOW = """
const ask = window.walletRequest
window.walletRequest = async (...asked) => {
  await new Promise((done) => (window.answer = done))
  window.walletRequest = ask
  return ask(...asked)
}
0
"""


def test_who_closes_the_dialog_before_the_wallet_answers_is_asked_for_nothing_more(
    browser: Any, market_node: LocalNode
) -> None:
    profile = Profile(browser)
    page = profile.open(market_node.url, ANNOUNCE, {"walletRequest": Wallet(market_node.rpc_url).request})
    page.evaluate(SLOW)
    page.get_by_role("button", name="Connect", exact=True).click()
    page.get_by_role("button", name="Test Wallet").click()
    page.get_by_role("button", name="Close dialog").click()
    page.evaluate("window.answer()")
    page.get_by_role("button", name="Wallet Test Wallet").wait_for()
    page.get_by_role("region", name="Account").get_by_role("button", name="Faucet").click()
    seen(page, "Test coins for gas")
    assert page.get_by_role("dialog").count() == 0
    profile.close()


def transfer(page: Any, way: str, amount: str) -> None:
    page.get_by_role("region", name="Account").get_by_role("button", name="Deposit / withdraw").click()
    page.get_by_role("dialog").get_by_role("radio", name=way).click()
    page.get_by_placeholder("Amount in USDC").fill(amount)
    page.get_by_role("dialog").get_by_role("button", name=way, exact=True).click()
