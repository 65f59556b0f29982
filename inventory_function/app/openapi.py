"""The OpenAPI document beyond what FastAPI derives: it gives the model of a response no type but application/json."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from lambda_http.problem import MEDIA_TYPE

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "required": ["type", "title", "status", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["about:blank"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "One sentence for a person."},
        "request_id": {"type": "string", "description": "Name it when you report a problem."},
        "outcome": {
            "enum": ["not_applied", "unknown"],
            "description": "Of a write's 503: whether certainly nothing was changed, or the change may have been made.",
        },
        "errors": {
            "type": "array",
            "description": "The single mistakes of a request that failed validation.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "detail": {"type": "string"},
                    "pointer": {"type": "string", "description": "JSON Pointer into the body, as a URI fragment."},
                    "parameter": {"type": "string", "description": "Name of the parameter."},
                    "in": {"enum": ["path", "query", "header"]},
                },
            },
        },
    },
}

_MEANINGS = {
    400: "The request cannot be understood.",
    401: "The x-api-key header is missing or wrong.",
    404: "There is no such item or file.",
    409: "The state of the item or file does not allow it.",
    412: "If-Match or If-None-Match does not hold.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    416: "The range lies outside the file.",
    422: "The request failed validation.",
    500: "The service failed.",
    503: "A backing service of the service is busy or away; Retry-After says when to come back.",
}

READ = (413, 500, 503)
WRITE = (400, 401, 413, 415, 422, 500, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route for the problems that it may answer."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": _MEANINGS[status], "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in sorted(statuses)
    }


def header(description: str) -> dict[str, Any]:
    """Return the description of a response header."""
    return {"description": description, "schema": {"type": "string"}}


def install(application: FastAPI) -> None:
    """Make `application` publish the schema of problems, too."""
    derive = application.openapi

    def openapi() -> dict[str, Any]:
        document = derive()
        document["components"]["schemas"].setdefault("Problem", _PROBLEM)
        return document

    application.openapi = openapi  # type: ignore[method-assign]
