"""What a node does by the clock: a role says when it wants to work next, and works when that time has come."""

import math
from collections.abc import Sequence
from typing import Protocol

from coinone.node.clock import Clock
from coinone.node.executor.core import Core

NEVER = math.inf  # due only once somebody gives it work


class Role(Protocol):
    """One duty of a node. Called on the thread that owns the state."""

    def due(self) -> float:
        """When it wants to work next, on the steady clock."""
        ...

    def work(self, now: float) -> None:
        """Do what is due."""
        ...


class RoleSchedule:
    """The roles of a node, in the order in which those that are due work. A fault in one of them halts the node."""

    def __init__(self, core: Core, clock: Clock, roles: Sequence[Role]) -> None:
        self._core = core
        self._clock = clock
        self._roles = roles

    def work(self) -> float:
        """Let everybody work who is due; return when to be called again."""
        if self._core.halted is not None:
            return NEVER
        now = self._clock.steady_s()
        try:
            due = self._due()
            if due > now:  # after most jobs of the executor
                return due
            for role in self._roles:
                if role.due() <= now:
                    role.work(now)
            return self._due()
        except Exception as error:  # an unforeseen one, too: the state may be wrong
            self._core.halt(error)
            return NEVER

    def _due(self) -> float:
        return min([role.due() for role in self._roles])
