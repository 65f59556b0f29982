"""One message of a customer: who may send it, what was said before, the answer, and that it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambda_http.problem import Problem
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.chat import history
from shopping_bot.chat.bot_core import BotCore
from shopping_bot.chat.chat_request import ChatRequest
from shopping_bot.chat.conversations import Conversations
from shopping_bot.chat.session import SessionIds
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger

_WRITING_SECONDS = 0.5
_PROCESSING = (
    "I am still answering your last message. This one is noted and counts with your next one; send it again in a "
    "moment to have it answered."
)


@dataclass(frozen=True)
class Reply:
    """What the customer gets; `functions` are the tools that ran."""

    session_id: str
    response_type: str
    content: Mapping[str, Any]
    functions: Sequence[str] = ()


def owned_session(session_ids: SessionIds, session_id: str | None, user_id: str) -> str:
    """Return `session_id`, a new one when it is None.

    Raises Problem 404 when it is not this user's, and SecretError when there is no key to know it by.
    """
    if session_id is None:
        return session_ids.new(user_id)
    if not session_ids.belongs_to(session_id, user_id):
        raise absent()
    return session_id


def absent() -> Problem:
    """Return the 404 for a conversation that is someone else's, or over, or never was."""
    return Problem(404, "There is no such conversation; leave session_id out to begin a new one.")


def reply(
    asked: ChatRequest, session_id: str, conversations: Conversations, bot_core: BotCore, deadline: Deadline
) -> Reply:
    """Return the reply to `asked`.

    Without Redis it is answered without memory. While another message of the session is being answered, the reply is
    `processing`: the message is kept in the conversation, and Claude reads it with the next one.

    Raises what BotCore.answer raises.
    """
    entry = history.customer_entry(asked.message)
    begun = None
    try:
        begun = conversations.begin(session_id, entry, deadline)
    except BackingServiceError as error:
        _degrade(error)
    if begun is None:
        answer = bot_core.answer(history.past([], asked.message), deadline)
    elif begun.token is None:
        return Reply(session_id, "processing", {"message": _PROCESSING})
    else:
        earlier = [kept for kept in begun.entries if kept.get("id") != entry["id"]]
        # What comes of it must still be written down, or the session be freed.
        before = deadline.earlier(conversations.call_seconds + _WRITING_SECONDS)
        with conversations.lease(session_id, begun.token, deadline):
            answer = bot_core.answer(history.past(earlier, asked.message), before)
        try:
            conversations.finish(session_id, begun.token, entry, history.answer_entry(entry, answer), deadline)
        except BackingServiceError as error:
            _degrade(error)
    return Reply(session_id, answer.response_type, answer.content, answer.functions)


def _degrade(error: BackingServiceError) -> None:
    logger.warning("The conversation cannot be kept", reason=error.reason)
    request_metrics.current().degraded.add(error.backing_service)
