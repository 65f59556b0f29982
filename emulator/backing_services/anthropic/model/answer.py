"""From a request to a reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.backing_services.anthropic.model import choosing, wording
from emulator.backing_services.anthropic.model.dialogue import Dialogue
from emulator.backing_services.anthropic.model.planning import Plan
from emulator.backing_services.anthropic.model.results import next_step
from emulator.backing_services.anthropic.model.toolset import ASK, RECOMMEND, SEARCH, STOCK, Toolset
from emulator.backing_services.anthropic.reply import Reply, Text, ToolCall


def answer(request: Mapping[str, Any]) -> Reply:
    """Return what the model says next in the conversation of `request`."""
    choice = request.get("tool_choice") or {"type": "auto"}
    tools = Toolset([] if choice["type"] == "none" else request.get("tools", []))
    dialogue = Dialogue(request["messages"])
    plan = Plan(dialogue, tools, _system(request.get("system")))
    reply = next_step(dialogue, plan, tools) if dialogue.current.calls else plan.first_step()
    if choice["type"] in ("any", "tool"):
        reply = _with_call(reply, choice.get("name"), dialogue, plan, tools)
    if choice.get("disable_parallel_tool_use"):
        calls = [part for part in reply if isinstance(part, ToolCall)]
        reply = [part for part in reply if not isinstance(part, ToolCall) or part is calls[0]]
    return reply


def _with_call(reply: Reply, name: str | None, dialogue: Dialogue, plan: Plan, tools: Toolset) -> Reply:
    """Return a reply that calls the tool `name`, or any tool."""
    calls = [part for part in reply if isinstance(part, ToolCall) and name in (None, part.name)]
    if calls:
        return calls
    name = name or (ASK if ASK in tools else tools.names[0])
    words = " ".join(part.text for part in reply if isinstance(part, Text)) or wording.WHICH
    ids = [record.id for record in plan.shown] or list(dialogue.known)
    if name == SEARCH:
        return [tools.search(plan.wish() or plan.understanding.wish)]
    if name == ASK:
        return [
            tools.call(ASK, question=words, options=choosing.category_options(None, tools.members(SEARCH, "category")))
        ]
    if name == RECOMMEND:
        return [tools.call(RECOMMEND, ids=ids[: choosing.USUAL_NUMBER], summary=words)]
    return [tools.call(STOCK, ids=ids)] if name == STOCK else [tools.call(name)]


def _system(system: Any) -> str:
    if isinstance(system, list):
        return "\n".join(block["text"] for block in system)
    return system or ""
