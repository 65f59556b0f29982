"""Requests that pass the gateway, kept as fixtures: the event as the function got it, and the answer."""

from emulator.recording.fixture import Answer, Fixture, FixtureError
from emulator.recording.recorder import Recorder

__all__ = ["Answer", "Fixture", "FixtureError", "Recorder"]
