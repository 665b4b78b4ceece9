"""Tracers of a few lines: one that counts what contracts are asked for, one that does nothing, one that is several."""

from collections.abc import Sequence

from coinone.rules.vm.frame import Frame, Tracer

_SELECTOR = 4


class NoopTracer:
    """geth's noopTracer: what a trace costs without tracing."""

    def enter(self, frame: Frame) -> None:
        pass

    def before(self, frame: Frame, code: int) -> None:
        pass

    def after(self, frame: Frame) -> None:
        pass

    def exit(self, frame: Frame) -> None:
        pass


class FourByteTracer(NoopTracer):
    """geth's 4byteTracer: how often each function is called, by selector and size of its arguments in bytes."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def enter(self, frame: Frame) -> None:
        message = frame.message
        if message.creates or len(message.data) < _SELECTOR:
            return
        if message.code_address in frame.evm.precompiles:
            return
        data = message.data
        name = f"0x{bytes(data[:_SELECTOR]).hex()}-{len(data) - _SELECTOR}"
        self.counts[name] = self.counts.get(name, 0) + 1


class Several:
    """One run under several tracers, as geth's muxTracer."""

    def __init__(self, tracers: Sequence[Tracer]) -> None:
        self._tracers = tracers

    def enter(self, frame: Frame) -> None:
        for tracer in self._tracers:
            tracer.enter(frame)

    def before(self, frame: Frame, code: int) -> None:
        for tracer in self._tracers:
            tracer.before(frame, code)

    def after(self, frame: Frame) -> None:
        for tracer in self._tracers:
            tracer.after(frame)

    def exit(self, frame: Frame) -> None:
        for tracer in self._tracers:
            tracer.exit(frame)
