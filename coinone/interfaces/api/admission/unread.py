"""Limit the answers that clients have not read yet, and choose whose connection is cut.

Each address has a separate bound (weights.py), which is checked when a request is admitted. A thousand addresses of one
site stay below it, and requests that were admitted together are all answered. So unread bytes are bounded again when an
answer begins to wait: per site, and for all clients beyond this machine. Beyond that the largest holder is cut off.
"""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from coinone.interfaces.api.admission.owners import site_of
from coinone.interfaces.api.limits import UNREAD_PER_SITE_BYTES_MAX, UNREAD_STRANGERS_BYTES_MAX

Cut = Callable[[], None]  # ends the connection of an answer


@dataclass(eq=False, slots=True)
class UnreadAnswer:
    """An answer, or a part of one, that its client has not read yet."""

    owner: Hashable
    size: int
    cut: Cut


class Unread:
    """All unread answers. On the interface's event loop only."""

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
        """Count an answer as unread from now on. Cuts off its client, or others, if too much is unread."""
        site = site_of(answer.owner)
        self._answers[answer] = None
        self._grow(answer, answer.size)
        while self._of_sites[site] > self._most_of_site:
            self._cut_off(site, answer.owner)
        while self.size > self._most:
            self._cut_off(_greediest(self._of_sites, site), answer.owner)

    def remove(self, answer: UnreadAnswer) -> None:
        """Count an answer as read; does nothing if its client was cut off."""
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
        """Cut off the largest answer of the owner with the most unread bytes of a site."""
        owners = Counter({each: size for each, size in self._of_owners.items() if site_of(each) == site})
        greedy = _greediest(owners, newcomer)
        lost = max((each for each in self._answers if each.owner == greedy), key=lambda each: each.size)
        self.remove(lost)
        lost.cut()


def _greediest(sizes: Counter[Hashable], newcomer: Hashable) -> Hashable:
    """The largest; of equals the newcomer, so that they do not displace each other."""
    return max(sizes, key=lambda each: (sizes[each], each == newcomer))
