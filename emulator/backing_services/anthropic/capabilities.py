"""What each model takes and does: kinds of thinking, effort, forced tools, the prefix check.

Source: Claude Platform documentation, "Troubleshooting thinking" (Thinking support, defaults, and rejected
configurations by model), "Effort" (supported models), "Migrating to Claude Sonnet 5.5" (Thinking runs by default;
Forced tool use is not supported; Other changes), "Prefix checks on thinking blocks" (supported models).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Capabilities:
    """Of one model; `thinking` are the values of `thinking.type` that it does not refuse."""

    thinking: tuple[str, ...]
    thinks_by_default: bool = True
    shows_thinking: bool = False
    """Whether `thinking.display` is `summarized` when the request does not say."""
    default_effort: str | None = "high"
    """None: the model refuses `effort`."""
    takes_forced_tools: bool = True
    checks_prefix: bool = False
    shortest_cached_tokens: int = 1024


_FAMILY_5: Final = Capabilities(("adaptive", "disabled"))
_ALWAYS_THINKING: Final = Capabilities(("adaptive",), takes_forced_tools=False)
_PRESERVING: Final = replace(_ALWAYS_THINKING, checks_prefix=True, shortest_cached_tokens=512)
_QUIET: Final = Capabilities(("adaptive", "disabled"), thinks_by_default=False)
_BUDGETED: Final = Capabilities(
    ("disabled", "enabled"), thinks_by_default=False, shows_thinking=True, default_effort=None
)
_GENERATION_4_6: Final = replace(_BUDGETED, thinking=("adaptive", "disabled", "enabled"), default_effort="high")
_BY_MODEL: Final = {
    "claude-fable-5-2": _PRESERVING,
    "claude-mythos-5-2": _PRESERVING,
    "claude-haiku-5-5": replace(_FAMILY_5, default_effort="medium", checks_prefix=True, shortest_cached_tokens=512),
    "claude-sonnet-5-5": replace(_PRESERVING, thinking=("adaptive", "between_tools")),
    "claude-fable-5-1": _PRESERVING,
    "claude-opus-5-5": replace(_PRESERVING, default_effort="medium"),
    "claude-mythos-5-1": _PRESERVING,
    "claude-sonnet-5": _FAMILY_5,
    "claude-fable-5": _ALWAYS_THINKING,
    "claude-mythos-5": _ALWAYS_THINKING,
    "claude-opus-5": _FAMILY_5,
    "claude-opus-4-8": _QUIET,
    "claude-opus-4-7": _QUIET,
    "claude-opus-4-6": _GENERATION_4_6,
    "claude-sonnet-4-6": _GENERATION_4_6,
    "claude-haiku-4-5": _BUDGETED,
    "claude-opus-4-5": replace(_BUDGETED, default_effort="high"),
    "claude-sonnet-4-5": _BUDGETED,
}


def capabilities(model: str) -> Capabilities:
    """Return those of `model`, which may be an id with a date. Raises KeyError for a model that is unknown."""
    return _BY_MODEL[model if model in _BY_MODEL else model.rpartition("-")[0]]
