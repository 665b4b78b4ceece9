"""How hypothesis runs here: as long as it needs, since a busy machine is no fault of a rule."""

from hypothesis import HealthCheck, settings

settings.register_profile("coinone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("coinone")
