"""The Lambda handler: one event in, one proxy answer out."""

from __future__ import annotations

import asyncio
import base64
import threading
from typing import Any

import anyio.to_thread
from mangum import Mangum
from starlette.types import Receive, Scope, Send

from app import event as http_event
from app import snapshot
from app.main import create_application
from app.problem import MEDIA_TYPE

# Base64 grows a body by a third, the JSON escapes of a text by up to six times: past this size a text could end
# beyond the 6 MB that a Lambda answer may have.
_LARGEST_TEXT = 900_000

application = create_application()


class _Loop:
    """An event loop that is closed when its thread is gone."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


class _Thread(threading.local):
    """What belongs to the calling thread: Lambda calls from one, tests from several at once."""

    def __init__(self) -> None:
        self.holder = _Loop()


_thread = _Thread()


async def _rooted(scope: Scope, receive: Receive, send: Send) -> None:
    # ASGI: `path` includes `root_path`; links in /docs need the part that the stage put in front.
    root_path = scope["aws.event"][http_event.ROOT_PATH]
    if root_path:
        scope = {**scope, "root_path": root_path, "path": root_path + scope["path"]}
    await application(scope, receive, send)


asyncio.set_event_loop(_thread.holder.loop)
# anyio imports its asyncio part at the first use, which would be the first request; the init phase has processor to
# spare.
_thread.holder.loop.run_until_complete(anyio.to_thread.run_sync(bool))
snapshot.prepare()
_mangum = Mangum(_rooted, lifespan="off", text_mime_types=["text/", "application/json", MEDIA_TYPE])


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer `event`, an HTTP request of an HTTP API, a REST API or a load balancer, in the same format.

    Raises UnsupportedEventError for anything else; every other failure is an answer with status 500.
    """
    asyncio.set_event_loop(_thread.holder.loop)
    answer = _mangum(http_event.prepare(event), context)
    if not answer["isBase64Encoded"] and len(answer["body"]) > _LARGEST_TEXT:
        answer["body"] = base64.b64encode(answer["body"].encode()).decode()
        answer["isBase64Encoded"] = True
    return answer
