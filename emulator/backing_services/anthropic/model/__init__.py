"""The model: a deterministic shop assistant that reads the request and nothing else.

It works with the assistant's four tools, and hands the customer's own words to the search, which understands prices and
diets. A request without these tools gets words.
"""

from emulator.backing_services.anthropic.model.assistant import reply_to
from emulator.backing_services.anthropic.model.conversation import SEARCH

__all__ = ["SEARCH", "reply_to"]
