"""How hypothesis and the garbage collector run here."""

import gc

from hypothesis import HealthCheck, settings

# As long as it needs, since a busy machine is no fault of a rule.
settings.register_profile("coinone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("coinone")


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end of the run: to look for garbage in it cost a tenth of the
    processor time."""
    gc.collect()
    gc.freeze()
