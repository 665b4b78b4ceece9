"""Scheduled work of a node: a role reports when it is due next, and works at that time."""

import math
from collections.abc import Sequence
from typing import Protocol

from coinone.node.clock import Clock
from coinone.node.executor.core import Core

NEVER = math.inf  # due only once it is given work


class Role(Protocol):
    """One duty of a node. Called on the thread that owns the state."""

    def due(self) -> float:
        """When the role is due next, on the steady clock."""
        ...

    def work(self, now: float) -> None:
        """Do what is due."""
        ...


class RoleSchedule:
    """The roles of a node, in the order in which they run when due. An error in one of them halts the node."""

    def __init__(self, core: Core, clock: Clock, roles: Sequence[Role]) -> None:
        self._core = core
        self._clock = clock
        self._roles = roles

    def work(self) -> float:
        """Run the roles that are due; return when to call again."""
        if self._core.halted is not None:
            return NEVER
        now = self._clock.steady_s()
        try:
            due = self._due()
            if due > now:  # the usual case after a job of the executor
                return due
            for role in self._roles:
                if self._core.halted is not None:  # by a role that also had to answer its caller
                    return NEVER
                if role.due() <= now:
                    role.work(now)
            return self._due()
        except Exception as error:  # an unexpected one, too: the state may be wrong
            self._core.halt(error)
            return NEVER

    def _due(self) -> float:
        return min([role.due() for role in self._roles])
