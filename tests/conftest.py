"""What every test stands on: the same examples in every run, and no health check that times a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "house",
    deadline=None,
    derandomize=True,  # a CI that fails now and then teaches people to look away; `make fuzz` looks for the new
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("house")
