"""A server of HTTP/1.1 on plain asyncio: the parser is llhttp (httptools), the rest is what one process needs.

A handler is a plain function: it answers at once or later by `Request.respond`, and needs no task of its own. That is
what makes the Runtime API quick: an invocation is one write to a request that waits.
Source: RFC 9112 (HTTP/1.1) and RFC 9110 (HTTP semantics).
"""

from emulator.http_server.messages import Header, Limits, Request, Response
from emulator.http_server.server import Handler, HttpServer

__all__ = ["Handler", "Header", "HttpServer", "Limits", "Request", "Response"]
