"""The access tracer: which slots and other accounts a run reaches, for eth_createAccessList."""

from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.prestate_tracer import PrestateTracer


class AccessTracer(PrestateTracer):
    """Notes what opcodes name. What a message itself makes warm (who sends it and to whom) is not noted."""

    def enter(self, frame: Frame) -> None:
        pass
