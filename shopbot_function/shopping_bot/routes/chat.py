"""POST /chat, the conversation so far, and forgetting it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, g, request

from lambda_http import json_text
from lambda_http.problem import Problem
from shopping_bot import deadline
from shopping_bot.chat import chat_request
from shopping_bot.extensions import extensions
from shopping_bot.observability import request_id
from shopping_bot.routes import json_body

blueprint = Blueprint("chat", __name__)


@blueprint.before_request
def make_extensions() -> None:
    """See to it that Redis and the bot core can be had, before anything else is said of the request."""
    _ = extensions().conversations, extensions().bot_core


@blueprint.post("/chat")
def send_message() -> Response:
    """Answer a customer's message."""
    from shopping_bot.chat import service
    from shopping_bot.error_handlers import problem_for

    asked = chat_request.chat_request(json_body.read_object())
    session_id = asked.session_id
    try:
        session_id = service.owned_session(extensions().session_ids, asked.session_id, asked.user_id)
        reply = service.reply(asked, session_id, extensions().conversations, extensions().bot_core, deadline.current())
    except Exception as error:
        problem = problem_for(error)
        if problem.status == 404:
            raise
        content = {"message": problem.detail}
        members = {"session_id": session_id, "response_type": "error", "content": content, "meta": _meta(())}
        raise Problem(problem.status, problem.detail, headers=problem.headers, members=members) from error
    body = {
        "session_id": session_id,
        "response_type": reply.response_type,
        "content": reply.content,
        "meta": _meta(reply.functions),
    }
    if reply.response_type == "processing":
        return _json(body, 202, {"Retry-After": "2"})
    return _json(body)


@blueprint.get("/chat/<session_id>")
def read_conversation(session_id: str) -> Response:
    """Return what was said, oldest first."""
    from shopping_bot.chat import history, service

    user_id = chat_request.user_id(request.args.get("user_id"))
    session_id = service.owned_session(extensions().session_ids, session_id, user_id)
    entries = extensions().conversations.entries(session_id, deadline.current())
    if not entries:
        raise service.absent()
    return _json({"session_id": session_id, "turns": history.turns(entries)})


@blueprint.delete("/chat/<session_id>")
def delete_conversation(session_id: str) -> Response:
    """Forget a conversation."""
    from shopping_bot.chat import service

    user_id = chat_request.user_id(request.args.get("user_id"))
    session_id = service.owned_session(extensions().session_ids, session_id, user_id)
    if not extensions().conversations.forget(session_id, deadline.current()):
        raise service.absent()
    return _json({"status": "deleted", "session_id": session_id})


@blueprint.post("/reset")
def reset() -> Response:
    """Forget what was said in a session; the session may go on, and one that is empty already is no error."""
    from shopping_bot.chat import service

    user_id, session_id = chat_request.reset_request(json_body.read_object())
    session_id = service.owned_session(extensions().session_ids, session_id, user_id)
    extensions().conversations.forget(session_id, deadline.current())
    return _json({"status": "reset", "session_id": session_id})


def _meta(functions: Sequence[str]) -> dict[str, Any]:
    from shopping_bot.chat import history

    return {
        "elapsed_time": round(time.perf_counter() - g.started, 3),
        "functions_executed": list(functions),
        "timestamp": history.now(),
        "request_id": request_id(),
        "degraded": sorted(g.metrics.degraded),
    }


def _json(body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # A conversation is nobody else's: no cache between here and the customer may keep it.
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(json_text.dump(body), status, sent, mimetype="application/json")
