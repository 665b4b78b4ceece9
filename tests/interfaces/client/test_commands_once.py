"""An action is sent until there is an answer, and carried out once: the steps, with the answers scripted."""

from typing import Any

import pytest

from coinone.interfaces.client import Domain, NoAnswer, Refused
from coinone.interfaces.client.commands import Commands
from coinone.interfaces.client.errors import AnswerLost, ClientError
from coinone.interfaces.client.steps import RESEND_WAITS_S, Pause, Request, Steps

KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
META = {"universe": [{"name": "BTC", "szDecimals": 5, "maxLeverage": 50}]}
RESTING = {"resting": {"oid": 7}}
OK = {"status": "ok", "response": {"type": "order", "data": {"statuses": [RESTING]}}}
USED = {"status": "err", "response": "Invalid nonce: duplicate nonce (nonce=1)"}


class Scripted(Commands):
    """Answers requests from a list (an exception in it is raised) and keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(key=KEY, domain=Domain.coinone(926002))
        self._answers = list(answers)
        self.asked: list[Request] = []
        self.waited_s = 0.0

    def _run(self, steps: Steps[Any]) -> Any:
        try:
            step = next(steps)
            while True:
                if isinstance(step, Pause):
                    self.waited_s += step.seconds
                    step = steps.send(None)
                    continue
                self.asked.append(step)
                answer = self._answers.pop(0)
                step = steps.throw(answer) if isinstance(answer, ClientError) else steps.send(answer)
        except StopIteration as end:
            return end.value


def place(client: Scripted) -> Any:
    return client.order("BTC", True, "0.1", 97000, cloid="0x" + "1" * 32)


def test_an_order_that_is_answered_at_once_is_sent_once() -> None:
    client = Scripted(META, OK)
    assert place(client) == RESTING
    assert [request.path for request in client.asked] == ["/info", "/exchange"]


def test_a_market_that_is_not_known_is_looked_up_again() -> None:
    more = {"universe": [*META["universe"], {"name": "XRP", "szDecimals": 2, "maxLeverage": 20}]}
    client = Scripted(META, OK, more, OK, more)
    place(client)
    client.order("XRP", True, "1", 25, cloid="0x" + "2" * 32)
    assert [request.path for request in client.asked] == ["/info", "/exchange"] * 2
    with pytest.raises(Refused, match="no market ADA; there are BTC, XRP"):
        client.order("ADA", True, "1", 25)


def test_the_same_bytes_are_sent_again_when_no_answer_came() -> None:
    client = Scripted(META, NoAnswer("cut"), NoAnswer("cut"), OK)
    assert place(client) == RESTING
    first, *others = [request.body for request in client.asked if request.path == "/exchange"]
    assert others == [first, first]
    assert client.waited_s == sum(RESEND_WAITS_S[:2])


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ("open", {"resting": {"oid": 7, "cloid": "0x" + "1" * 32}}),
        ("filled", {"filled": {"oid": 7, "cloid": "0x" + "1" * 32, "totalSz": "0.1"}}),
    ],
)
def test_an_order_whose_answer_was_lost_is_looked_up_by_its_cloid(status: str, answer: Any) -> None:
    left = "0.1" if status == "open" else "0.0"
    found = {"status": "order", "order": {"order": {"oid": 7, "origSz": "0.1", "sz": left}, "status": status}}
    client = Scripted(META, NoAnswer("cut"), USED, found)
    assert place(client) == answer
    assert client.asked[-1].payload["type"] == "orderStatus"


def test_an_order_that_was_refused_while_its_answer_was_lost_is_reported_refused() -> None:
    with pytest.raises(Refused, match="not placed"):
        place(Scripted(META, NoAnswer("cut"), USED, {"status": "unknownOid"}))


def test_a_used_nonce_at_the_first_sending_is_a_refusal() -> None:
    with pytest.raises(Refused, match="duplicate nonce"):
        place(Scripted(META, USED))


def test_a_cancel_whose_answer_was_lost_says_so() -> None:
    with pytest.raises(AnswerLost):
        Scripted(NoAnswer("cut"), USED).cancel([(0, 7)])


def test_it_gives_up_after_the_last_wait() -> None:
    client = Scripted(META, *[NoAnswer("cut")] * (len(RESEND_WAITS_S) + 1))
    with pytest.raises(NoAnswer):
        place(client)
    assert client.waited_s == sum(RESEND_WAITS_S)


def test_a_refusal_is_never_sent_again() -> None:
    client = Scripted(META, {"status": "err", "response": "no such account"})
    with pytest.raises(Refused, match="no such account"):
        place(client)
    assert len(client.asked) == 2


def test_a_client_without_a_key_reads_but_does_not_sign() -> None:
    client = Scripted(META)
    client.signer = None
    with pytest.raises(Refused, match="no key"):
        place(client)


def test_no_account_is_guessed() -> None:
    client = Scripted()
    client.account = None
    with pytest.raises(Refused, match="neither a key nor an account"):
        client.token_balance()
