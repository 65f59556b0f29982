"""Property tests without a clock: on a busy machine an example may take longer than Hypothesis allows by itself."""

from hypothesis import settings

settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")
