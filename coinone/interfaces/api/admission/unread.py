"""What strangers have not read yet, and who makes room where it is too much.

Each address has a bound of its own (weights.py), which is looked at as a request is let in. A thousand lines of one
site stay below it, and requests that were let in together are all answered. So what waits is bounded once more where
an answer begins to wait: of a site, and of all strangers. Beyond it whoever has most is cut off.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.limits import UNREAD_PER_SITE_BYTES_MAX, UNREAD_STRANGERS_BYTES_MAX

Cut = Callable[[], None]  # ends the connection that an answer is for


@dataclass(eq=False, slots=True)
class UnreadAnswer:
    """Or the part of one, that waits for its reader."""

    owner: Hashable
    size: int
    cut: Cut


class Unread:
    """On the interface's event loop only."""

    def __init__(
        self, most: int = UNREAD_STRANGERS_BYTES_MAX, most_of_site: int = UNREAD_PER_SITE_BYTES_MAX
    ) -> None:
        self._most = most
        self._most_of_site = most_of_site
        self._answers: dict[UnreadAnswer, None] = {}
        self._of_owners: Counter[Hashable] = Counter()
        self._of_sites: Counter[Hashable] = Counter()
        self.size = 0

    def add(self, answer: UnreadAnswer) -> None:
        """It waits from now on. Cuts off its reader, or others, where too much does."""
        site = site_of(answer.owner)
        self._answers[answer] = None
        self._grow(answer, answer.size)
        while self._of_sites[site] > self._most_of_site:
            self._cut_off(site, answer.owner)
        while self.size > self._most:
            self._cut_off(_greediest(self._of_sites, site), answer.owner)

    def remove(self, answer: UnreadAnswer) -> None:
        """It waits no more; nothing happens if its reader was cut off."""
        if answer in self._answers:
            del self._answers[answer]
            self._grow(answer, -answer.size)

    def _grow(self, answer: UnreadAnswer, by: int) -> None:
        self.size += by
        for counter, key in ((self._of_owners, answer.owner), (self._of_sites, site_of(answer.owner))):
            counter[key] += by
            if not counter[key]:
                del counter[key]

    def _cut_off(self, site: Hashable, newcomer: Hashable) -> None:
        """The largest answer of who has most of a site."""
        owners = Counter({each: size for each, size in self._of_owners.items() if site_of(each) == site})
        greedy = _greediest(owners, newcomer)
        lost = max((each for each in self._answers if each.owner == greedy), key=lambda each: each.size)
        self.remove(lost)
        lost.cut()


def _greediest(sizes: Counter[Hashable], newcomer: Hashable) -> Hashable:
    """Of equals the newcomer, so that they do not push each other out."""
    return max(sizes, key=lambda each: (sizes[each], each == newcomer))
