"""What a model refuses of `thinking`, `output_config` and `tool_choice`.

Source: Claude Platform documentation, "Migrating to Claude Sonnet 5.5" (Turn off up-front thinking; Forced tool use is
not supported) and "Claude API errors" (Common validation errors); anthropic 2.12.0, `types/thinking_config_*_param.py`
and `types/output_config_param.py`.

Where the fake differs: the words for `between_tools` and `enabled` where they are not taken are its own, and it
takes `disabled` at every effort.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.backing_services.anthropic import checks
from emulator.backing_services.anthropic.capabilities import Capabilities, capabilities
from emulator.backing_services.anthropic.errors import ApiError, invalid

EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_FIELDS: Final = {
    "adaptive": ("type", "display"),
    "between_tools": ("type",),
    "disabled": ("type",),
    "enabled": ("type", "display", "budget_tokens"),
}
_SMALLEST_BUDGET: Final = 1024


def check_thinking(request: Mapping[str, Any]) -> None:
    """Raise ApiError 400 for what the model of `request` does not take."""
    model = capabilities(request["model"])
    effort = _check_effort(request.get("output_config"), model)
    if request.get("thinking") is not None:
        _check_configuration(request, model, effort)
    if (request.get("tool_choice") or {}).get("type") in ("any", "tool") and not model.takes_forced_tools:
        raise invalid('tool_choice: type "tool" and "any" are not supported for this model.')


def _check_effort(config: Any, model: Capabilities) -> str | None:
    if config is None:
        return model.default_effort
    checks.known_fields(checks.mapping(config, "output_config"), "output_config", ("effort", "format"))
    if config.get("effort") is None:
        return model.default_effort
    effort = checks.one_of(config["effort"], "output_config.effort", EFFORTS)
    if model.default_effort is None:
        raise invalid("This model does not support the effort parameter.")
    return effort


def _check_configuration(request: Mapping[str, Any], model: Capabilities, effort: str | None) -> None:
    thinking = request["thinking"]
    kind = checks.tag(thinking, "thinking", tuple(_FIELDS))
    if kind not in model.thinking:
        raise _unsupported(kind, model)
    place = f"thinking.{kind}"
    checks.known_fields(thinking, place, _FIELDS[kind])
    if thinking.get("display") is not None:
        checks.one_of(thinking["display"], f"{place}.display", ("summarized", "omitted"))
    if kind == "between_tools" and effort in ("xhigh", "max"):
        raise invalid(f'"thinking.type.between_tools" is not supported at effort "{effort}".')
    if kind == "enabled":
        checks.required(thinking, place, "budget_tokens")
        budget = checks.integer(thinking["budget_tokens"], f"{place}.budget_tokens", minimum=_SMALLEST_BUDGET)
        limit = checks.integer(request.get("max_tokens", budget + 1), "max_tokens", minimum=0)
        if budget >= limit:
            raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")


def _unsupported(kind: str, model: Capabilities) -> ApiError:
    if kind == "disabled" and "between_tools" in model.thinking:
        return invalid(
            'To turn thinking off on this model, send "thinking": {"type": "between_tools"} instead of {"type": '
            '"disabled"}. The model does not think before responding. The short updates it writes between tool calls '
            "come back as thinking blocks."
        )
    if kind == "adaptive":
        return invalid("adaptive thinking is not supported on this model")
    return invalid(
        f'"thinking.type.{kind}" is not supported for this model. Use "thinking.type.adaptive" and '
        '"output_config.effort" to control thinking behavior.'
    )
