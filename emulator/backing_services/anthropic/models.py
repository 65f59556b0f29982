"""The models that the fake answers for. All of them are the same one.

Source: anthropic 2.12.0, `types/model_param.py` (ids), `types/model_info.py` (fields) and
`resources/messages/messages.py` (ends of life).
"""

from __future__ import annotations

from typing import Any, Final

MAXIMUM_OUTPUT_TOKENS: Final = 64_000
MAXIMUM_INPUT_TOKENS: Final = 200_000
_EPOCH: Final = "1970-01-01T00:00:00Z"  # "May be set to an epoch value if the release date is unknown"

MODELS: Final = (
    "claude-fable-5-2",
    "claude-mythos-5-2",
    "claude-haiku-5-5",
    "claude-sonnet-5-5",
    "claude-fable-5-1",
    "claude-opus-5-5",
    "claude-mythos-5-1",
    "claude-sonnet-5",
    "claude-fable-5",
    "claude-mythos-5",
    "claude-opus-5",
    "claude-opus-4-8",
    "claude-opus-4-7",
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "claude-haiku-4-5",
    "claude-haiku-4-5-20251001",
    "claude-opus-4-5",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
)
_RETIRING: Final = {"claude-sonnet-4-5": "2026-11-30T00:00:00Z", "claude-sonnet-4-5-20250929": "2026-11-30T00:00:00Z"}


def model_info(model: str) -> dict[str, Any]:
    """Return what GET /v1/models says of `model`."""
    return {
        "type": "model",
        "id": model,
        "display_name": model.replace("-", " ").title() + " (fake)",
        "created_at": _EPOCH,
        "lifecycle": "deprecated" if model in _RETIRING else "active",
        "retires_at": _RETIRING.get(model),
        "line": next((line for line in ("haiku", "sonnet", "opus", "fable", "mythos") if line in model), None),
        "max_input_tokens": MAXIMUM_INPUT_TOKENS,
        "max_tokens": MAXIMUM_OUTPUT_TOKENS,
    }


def model_list(limit: int, after_id: str | None = None) -> dict[str, Any]:
    """Return the body of GET /v1/models: at most `limit` of them, those behind `after_id`."""
    left = MODELS[MODELS.index(after_id) + 1 :] if after_id in MODELS else MODELS
    shown = left[:limit]
    return {
        "data": [model_info(model) for model in shown],
        "first_id": shown[0] if shown else None,
        "last_id": shown[-1] if shown else None,
        "has_more": len(shown) < len(left),
    }
