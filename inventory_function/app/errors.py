"""What a route or the framework raises, answered as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from lambda_http.problem import MEDIA_TYPE, Problem

_MAXIMUM_ERRORS = 20
_MAXIMUM_NAME = 80


def install(application: FastAPI) -> None:
    """Make `application` answer a Problem, and every exception of the framework, with problem details."""
    application.add_exception_handler(Problem, _answer_problem)
    application.add_exception_handler(HTTPException, _answer_http_exception)
    application.add_exception_handler(RequestValidationError, _answer_validation_error)


def request_id(request: Request) -> str:
    """Return the id that API Gateway, the load balancer or Lambda gave to `request`; "-" outside all of them."""
    identifier: str = request.scope.get("state", {}).get("request_id", "-")
    return identifier


def validation_problem(errors: Sequence[Any]) -> Problem:
    """Return the 422 for `errors` in pydantic's form; it names places and reasons and never repeats a value."""
    mistakes = [_mistake(error) for error in errors[:_MAXIMUM_ERRORS]]
    first = mistakes[0]
    place = first.get("parameter") or first["pointer"].removeprefix("#/").removeprefix("#") or "the body"
    more = f" ({len(errors) - 1} more in errors)" if len(errors) > 1 else ""
    return Problem(422, f"Correct {place}: {first['detail']}{more}.", members={"errors": mistakes})


async def _answer_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)  # noqa: S101  the type under which the handler is installed
    body = problem.body(request_id(request))
    return Response(body, status_code=problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


async def _answer_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  as above
    return await _answer_problem(request, validation_problem(error.errors()))


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  as above
    headers = dict(error.headers or {})
    detail = "This request cannot be answered; see /docs for those that can."
    if error.status_code == 404:
        detail = "There is nothing at this path; see /docs for the paths that exist."
    elif error.status_code == 405:
        headers["Allow"] = _allowed_methods(request)
        detail = f"This path does not take {request.method[:20]}; it takes {headers['Allow']}."
    return await _answer_problem(request, Problem(error.status_code, detail, headers=headers))


def _allowed_methods(request: Request) -> str:
    # Starlette names the methods of the first route with this path only.
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path is not None and compile_path(route.path)[0].match(path):
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def _mistake(error: Any) -> dict[str, str]:
    source, *path = error["loc"]
    message = str(error["msg"])
    message = message[:1].lower() + message[1:]
    if source == "body":
        # Pydantic appends the branch of a union to the path; the field alone is what the client knows.
        return {"detail": message, "pointer": "#" + "".join(f"/{_pointer_token(part)}" for part in path[:1])}
    return {"detail": message, "in": str(source), "parameter": str(path[0])[:_MAXIMUM_NAME]}


def _pointer_token(part: Any) -> str:
    # RFC 6901 section 3
    return str(part)[:_MAXIMUM_NAME].replace("~", "~0").replace("/", "~1")
