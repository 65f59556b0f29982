"""The sensible model: from a request to a reply, without a clock, a random number or a memory.

It reads the system prompt only for how to mark a matter of the support, and tool results only for their fields: nobody
but the request's author instructs it.
"""

from emulator.backing_services.anthropic.model.answer import answer

__all__ = ["answer"]
