"""Every exception that a route may end with, as a problem."""

from __future__ import annotations

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from lambda_http import json_body
from lambda_http.problem import INTERNAL_ERROR, MEDIA_TYPE, Problem, unavailable
from shopping_bot.backends import BackingServiceError
from shopping_bot.observability import log_failure, request_id


def install(application: Flask) -> None:
    """Make `application` answer every exception with a problem, never with a traceback."""
    application.register_error_handler(Problem, _respond)
    application.register_error_handler(HTTPException, _respond_to_http_exception)
    application.register_error_handler(Exception, lambda error: _respond(problem_for(error)))


def problem_for(error: Exception) -> Problem:
    """Return the problem for what a route raised; one that nobody expected is logged and says nothing of itself."""
    # Not at the top: the health route needs none of them.
    from lambda_http.json_secret import SecretError
    from shopping_bot.backends.claude import ClaudeBusyError, ClaudeRefusalError

    if isinstance(error, Problem):
        return error
    if isinstance(error, SecretError):
        if error.may_pass:
            return unavailable(f"The service cannot go on: {error.key} {error.reason}; try again in a moment.", 2)
        return unavailable(f"The service cannot go on: {error.key} {error.reason}; tell whoever runs it.", None)
    if isinstance(error, ClaudeBusyError):
        return unavailable("The assistant is busy; try again in a moment.", error.retry_after_seconds)
    if isinstance(error, ClaudeRefusalError):
        return unavailable("The assistant is out of order; whoever runs it has to mend it.", None)
    if isinstance(error, BackingServiceError):
        part = {"redis": "memory of conversations", "elasticsearch": "product search", "dynamodb": "stock"}
        name = part.get(error.backing_service, "service behind this")
        return unavailable(f"The {name} is not available right now; try again in a moment.", 2)
    log_failure("The request failed", error)
    return Problem(500, INTERNAL_ERROR)


def _respond(problem: Problem) -> Response:
    return Response(problem.body(request_id()), problem.status, problem.headers, content_type=MEDIA_TYPE)


def _respond_to_http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    if status == 413:
        return _respond(json_body.too_large())
    headers = {}
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        headers["Allow"] = allowed
        detail = f"This path does not take {request.method[:20]}; it takes {allowed}."
    elif status == 404:
        detail = "There is nothing at this path; POST /chat talks to the assistant, GET /chat/ui is a page that does."
    else:
        detail = "This request cannot be answered; check its path, its method and its body."
    return _respond(Problem(status, detail, headers=headers))
