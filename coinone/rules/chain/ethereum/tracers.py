"""The tracers of debug_trace* by geth's names, and the answers made from a run.

A tracer that reads the state afterwards gets it twice: as the run left it, and as it was before. Unknown options are
ignored, as in geth; an unknown tracer is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from coinone.base.primitives.errors import InvalidInput, LimitExceeded, NotSupported
from coinone.base.primitives.parse import parse_quantity
from coinone.rules.chain.ethereum.execution import TransactionResult
from coinone.rules.limits import TRACERS_MAX
from coinone.rules.state.state import State
from coinone.rules.vm.tracing import Tracer
from coinone.rules.vm.tracing.call_tracer import CallTracer
from coinone.rules.vm.tracing.erc7562_tracer import IGNORED, Erc7562Tracer
from coinone.rules.vm.tracing.flat_call_tracer import FlatCallTracer, TracedPlace
from coinone.rules.vm.tracing.prestate_tracer import PrestateTracer, Shown, accounts_of, difference
from coinone.rules.vm.tracing.small_tracers import FourByteTracer, NoopTracer, Several
from coinone.rules.vm.tracing.struct_logger import StructLogger

Config = Mapping[str, Any]
_OPCODE_MAX = 0xFF


@dataclass(frozen=True, slots=True)
class TracedRun:
    """The result of a run, and the gas that it was given."""

    result: TransactionResult
    gas_limit: int


class Tracing(Protocol):
    """A tracer, with the answer made from it."""

    @property
    def tracer(self) -> Tracer: ...

    def left(self, state: State) -> None:
        """Read the state as the run left it."""

    def answer(self, state: State, ran: TracedRun) -> Any:
        """The answer; `state` is as it was before the run."""


def tracing_of(options: Config, place: TracedPlace) -> Tracing:
    """The tracing for the options of debug_trace*. Raises NotSupported, InvalidInput."""
    name = options.get("tracer")
    if name is None:
        return _Steps(options)
    config = _object(options.get("tracerConfig"))
    if name == "muxTracer":
        return _Mux(config, place)
    return _named(name, config, place)


def _named(name: Any, config: Config, place: TracedPlace) -> Tracing:
    if name == "callTracer":
        return _Calls(CallTracer(bool(config.get("onlyTopCall")), bool(config.get("withLog"))))
    if name == "erc7562Tracer":
        return _Calls(Erc7562Tracer(bool(config.get("withLog")), _ignored(config)))
    if name == "flatCallTracer":
        precompiles, parity = bool(config.get("includePrecompiles")), bool(config.get("convertParityErrors"))
        return _Flat(FlatCallTracer(place, precompiles, parity))
    if name == "prestateTracer":
        return _Prestate(config)
    if name == "4byteTracer":
        return _FourBytes()
    if name == "noopTracer":
        return _Nothing()
    raise NotSupported("unknown tracer", tracer=name)


def _ignored(config: Config) -> frozenset[int]:
    given = config.get("ignoredOpcodes")
    if given is None:
        return IGNORED
    if not isinstance(given, list) or len(given) > _OPCODE_MAX + 1:
        raise InvalidInput("ignoredOpcodes must be a list of opcodes")
    return frozenset(parse_quantity(code, _OPCODE_MAX) for code in given)


class _Steps:
    def __init__(self, options: Config) -> None:
        self.tracer = StructLogger(
            stack=not options.get("disableStack"),
            memory=bool(options.get("enableMemory")),
            storage=not options.get("disableStorage"),
            return_data=bool(options.get("enableReturnData")),
            limit=_limit(options.get("limit")),
        )

    def left(self, state: State) -> None:
        pass

    def answer(self, state: State, ran: TracedRun) -> Any:
        result = ran.result
        return self.tracer.result(result.gas_used, not result.success, result.output)


def _limit(value: Any) -> int:
    """The maximum number of steps to list; 0: all."""
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidInput("limit must be a number of steps")
    return value


class _Calls:
    def __init__(self, tracer: CallTracer) -> None:
        self.tracer = tracer

    def left(self, state: State) -> None:
        pass

    def answer(self, state: State, ran: TracedRun) -> Any:
        return self.tracer.result(ran.gas_limit, ran.result.gas_used)


class _Flat:
    def __init__(self, tracer: FlatCallTracer) -> None:
        self.tracer = tracer

    def left(self, state: State) -> None:
        pass

    def answer(self, state: State, ran: TracedRun) -> Any:
        return self.tracer.listed(ran.gas_limit, ran.result.gas_used)


class _Prestate:
    def __init__(self, config: Config) -> None:
        self.tracer = PrestateTracer()
        self._is_difference = bool(config.get("diffMode"))
        self._shown = Shown(
            code=not config.get("disableCode"),
            storage=not config.get("disableStorage"),
            absent=bool(config.get("includeEmpty")) and not self._is_difference,
        )
        self._post: dict[str, dict[str, Any]] = {}

    def left(self, state: State) -> None:
        if self._is_difference:
            self._post = accounts_of(state, self.tracer.touched, self._shown)

    def answer(self, state: State, ran: TracedRun) -> Any:
        pre = accounts_of(state, self.tracer.touched, self._shown)
        return difference(pre, self._post) if self._is_difference else pre


class _FourBytes:
    def __init__(self) -> None:
        self.tracer = FourByteTracer()

    def left(self, state: State) -> None:
        pass

    def answer(self, state: State, ran: TracedRun) -> Any:
        return self.tracer.counts


class _Nothing:
    def __init__(self) -> None:
        self.tracer = NoopTracer()

    def left(self, state: State) -> None:
        pass

    def answer(self, state: State, ran: TracedRun) -> Any:
        return {}


class _Mux:
    """Several tracers by name, each with its own configuration."""

    def __init__(self, config: Config, place: TracedPlace) -> None:
        if len(config) > TRACERS_MAX:
            raise LimitExceeded("too many tracers at once", most=TRACERS_MAX)
        self._parts = {name: _named(name, _object(each), place) for name, each in config.items()}
        self.tracer = Several([part.tracer for part in self._parts.values()])

    def left(self, state: State) -> None:
        for part in self._parts.values():
            part.left(state)

    def answer(self, state: State, ran: TracedRun) -> Any:
        return {name: part.answer(state, ran) for name, part in self._parts.items()}


def _object(value: Any) -> Config:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidInput("a tracer's configuration must be an object")
    return value
