"""Which part of a request's path is the application's own: one rule for stages, base paths and API mappings.

* The event names the route that API Gateway matched (`routeKey`, `resource`): the path's end that this template
  describes is the application's own. What stands before it is the stage, or the mapping of a custom domain.
* It names none (`$default`, a load balancer): the application's own templates describe that end. On API Gateway's own
  host nothing but the stage can stand before it.

Sources: API Gateway Developer Guide, "Working with API mappings for HTTP APIs" and "Use API mappings to connect API
stages to a custom domain name for REST APIs": the path of an event keeps the mapping.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import unquote


def split(
    path: str,
    *,
    template: str | None = None,
    greedy_value: str | None = None,
    stage: str | None = None,
    is_own_host: bool = False,
    routes: Iterable[str] = (),
) -> tuple[str, str]:
    """Return the application's own part of `path`, which begins with "/", and what stands before it ("" for nothing).

    `template` is the route of the event, such as "/inventory/{sku}" or "/{proxy+}"; `greedy_value` is what API Gateway
    found for its greedy parameter. `stage` is the stage's name. `is_own_host` says that the request came to a host of
    API Gateway or Lambda, not to a custom domain or a load balancer. `routes` are the application's own templates in
    FastAPI's or in Flask's form.
    """
    segments = path.split("/")[1:]
    if template is not None:
        for start in range(len(segments) + 1):
            if _fits(segments[start:], _segments(template), greedy_value):
                return _cut(segments, start)
    if not is_own_host:
        # Not "/": it would describe the end of every path with a slash too many.
        wanted = [_segments(route) for route in routes if route != "/"]
        for start in range(len(segments)):
            if any(_fits(segments[start:], route) for route in wanted):
                return _cut(segments, start)
    if stage and stage != "$default" and segments[0] == stage:
        return _cut(segments, 1)
    return path, ""


def _cut(segments: Sequence[str], start: int) -> tuple[str, str]:
    return "/" + "/".join(segments[start:]), "".join(f"/{segment}" for segment in segments[:start])


def _segments(template: str) -> list[str]:
    return template.split("/")[1:]


def _fits(tail: Sequence[str], template: Sequence[str], greedy_value: str | None = None) -> bool:
    """Tell whether `template` describes the path of the segments `tail`."""
    if list(template) == [""]:
        return list(tail) in ([], [""])
    if not template or not _is_greedy(template[-1]):
        return len(tail) == len(template) and all(map(_is_segment, tail, template))
    fixed = len(template) - 1
    # API Gateway decodes the value for some kinds of API and the path for others.
    rest = unquote("/".join(tail[fixed:])).strip("/")
    is_value = greedy_value is None or rest == unquote(greedy_value).strip("/")
    return is_value and len(tail) > fixed and all(map(_is_segment, tail, template[:fixed]))


def _is_segment(segment: str, wanted: str) -> bool:
    return segment == wanted or (wanted[:1] in {"{", "<"} and segment != "")


def _is_greedy(wanted: str) -> bool:
    # "{proxy+}" of API Gateway, "{filename:path}" of Starlette, "<path:name>" of Werkzeug
    return wanted.endswith("+}") or (wanted.startswith("{") and ":" in wanted) or wanted.startswith("<path:")
