"""One message of a customer: who may send it, what was said before, the answer, and that it is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lambda_http.problem import Problem
from shopping_bot import request_metrics
from shopping_bot.backends import BackingServiceError
from shopping_bot.chat import history, session
from shopping_bot.chat.bot_core import BotCore
from shopping_bot.chat.conversations import Begun, Conversations
from shopping_bot.deadline import Deadline
from shopping_bot.observability import logger
from shopping_bot.routes.chat_request import ChatRequest

# After the deadline the answer is still written down; a lock that outlives its holder by this much is no harm.
_LOCK_MARGIN_SECONDS = 3.0
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


def owned_session(session_id: str | None, user_id: str) -> str:
    """Return `session_id`, a new one when it is None. Raises Problem 404 when it is not this user's."""
    if session_id is None:
        return session.new_session_id(user_id)
    if not session.belongs_to(session_id, user_id):
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
    begun = _begin(conversations, session_id, entry, deadline)
    if begun is not None and begun.token is None:
        return Reply(session_id, "processing", {"message": _PROCESSING})
    earlier = [kept for kept in begun.entries if kept.get("id") != entry["id"]] if begun else []
    try:
        answer = bot_core.answer(history.past(earlier, asked.message), deadline)
    except BaseException:
        if begun is not None and begun.token is not None:
            with suppress(BackingServiceError):
                conversations.release(session_id, begun.token)
        raise
    if begun is not None and begun.token is not None:
        try:
            conversations.finish(session_id, begun.token, history.answer_entry(entry, answer))
        except BackingServiceError as error:
            _degrade(error)
    return Reply(session_id, answer.response_type, answer.content, answer.functions)


def _begin(conversations: Conversations, session_id: str, entry: Mapping[str, Any], deadline: Deadline) -> Begun | None:
    milliseconds = round((deadline.remaining() + _LOCK_MARGIN_SECONDS) * 1000)
    try:
        return conversations.begin(session_id, entry, milliseconds)
    except BackingServiceError as error:
        _degrade(error)
        return None


def _degrade(error: BackingServiceError) -> None:
    logger.warning("The conversation cannot be kept", reason=error.reason)
    request_metrics.current().degraded.add(error.backing_service)
