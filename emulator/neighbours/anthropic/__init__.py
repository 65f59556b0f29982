"""A stand-in for the Anthropic Messages API: its wire format, and a model that can do no more than help in a shop."""

from emulator.neighbours.anthropic.misbehaviour import MISBEHAVIOURS
from emulator.neighbours.anthropic.server import Anthropic

__all__ = ["MISBEHAVIOURS", "Anthropic"]
