"""The form of a request to POST /v1/messages: which members it has, and of what type.

Source: Claude Platform documentation, "Create a Message". The API validates with pydantic, and so does this: the words
of an error (`messages.0.content: Field required`) are pydantic's.

Only what the assistant sends is known here. A member that the API has and the fake does not is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from emulator.backing_services.anthropic.errors import invalid

_NOT_EMULATED: Final = (
    *("metadata", "service_tier", "stop_sequences", "stream", "thinking", "tool_choice", "container", "mcp_servers"),
    *("context_management", "inference_geo", "speed"),
)
_STRING: Final = "<string>"
_BLOCKS: Final = "<blocks>"


def _non_empty(text: str) -> str:
    if not text.strip():
        raise ValueError("text content blocks must contain non-whitespace text")
    return text


_Text = Annotated[str, AfterValidator(_non_empty)]
_ToolId = Annotated[str, Field(pattern="^[a-zA-Z0-9_-]+$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _CacheControl(_Form):
    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] = "5m"


class _Cacheable(_Form):
    cache_control: _CacheControl | None = None


class _TextBlock(_Cacheable):
    type: Literal["text"]
    text: _Text


class _ToolUse(_Cacheable):
    type: Literal["tool_use"]
    id: _ToolId
    name: str
    input: dict[str, Any]


class _Thinking(_Form):
    type: Literal["thinking"]
    thinking: str
    signature: str


def _string_or_blocks(value: Any) -> str:
    return _STRING if isinstance(value, str) else _BLOCKS


_Texts = Annotated[
    Annotated[_Text, Tag(_STRING)] | Annotated[list[_TextBlock], Tag(_BLOCKS)], Discriminator(_string_or_blocks)
]


class _ToolResult(_Cacheable):
    type: Literal["tool_result"]
    tool_use_id: _ToolId
    content: Annotated[
        Annotated[str, Tag(_STRING)] | Annotated[list[_TextBlock], Tag(_BLOCKS)], Discriminator(_string_or_blocks)
    ] = ""
    is_error: bool = False


_Block = Annotated[_TextBlock | _ToolUse | _ToolResult | _Thinking, Field(discriminator="type")]


class _Message(_Form):
    role: Literal["user", "assistant"]
    content: Annotated[
        Annotated[_Text, Tag(_STRING)] | Annotated[list[_Block], Field(min_length=1), Tag(_BLOCKS)],
        Discriminator(_string_or_blocks),
    ]


class _InputSchema(BaseModel):
    type: Literal["object"]


class _Tool(_Cacheable):
    type: Literal["custom"] = "custom"
    name: Annotated[str, Field(pattern="^[a-zA-Z0-9_-]{1,128}$")]
    description: str = ""
    input_schema: _InputSchema


class _OutputConfig(_Form):
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class _Request(_Form):
    model: str
    max_tokens: Annotated[int, Field(ge=0)]
    messages: Annotated[list[_Message], Field(min_length=1)]
    system: _Texts | None = None
    tools: list[_Tool] = []
    output_config: _OutputConfig | None = None


def check_form(body: Any) -> Mapping[str, Any]:
    """Return `body`, a request in the right form. Raises ApiError 400 that names the first place that is not."""
    for name in body if isinstance(body, dict) else ():
        if name in _NOT_EMULATED:
            raise invalid(f"{name}: the emulator's fake of the Messages API does not take this")
    try:
        _Request.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in (_STRING, _BLOCKS))
        words = re.sub(r" or instance of \w+|^Value error, ", "", first["msg"])
        raise invalid(f"{place}: {words}" if place else words) from None
    request: Mapping[str, Any] = body
    return request
