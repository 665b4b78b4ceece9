"""The access tracer: the slots and other accounts that a run accesses, for eth_createAccessList."""

from coinone.rules.vm.frame import Frame
from coinone.rules.vm.tracing.prestate_tracer import PrestateTracer


class AccessTracer(PrestateTracer):
    """Records what opcodes access, except what a message itself makes warm: its sender and target."""

    def enter(self, frame: Frame) -> None:
        pass
