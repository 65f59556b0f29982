"""A fake of the Anthropic Messages API: its wire format, and a model that can do no more than help in a shop."""

from emulator.backing_services.anthropic.errors import WIRE
from emulator.backing_services.anthropic.server import Anthropic

__all__ = ["WIRE", "Anthropic"]
