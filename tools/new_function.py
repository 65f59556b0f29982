"""Add a function that answers a route: `make new FUNCTION=Orders ROUTE="GET /orders"`.

It writes the function and its log group into template.yaml, as text, so that nothing else of the file changes; a
handler, a fixture of the route, and a test that sends the one to the other. All of it runs at once. What the function
should do is then written in the handler.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sam_template import Template, TemplateError
from sam_template.repository import REPOSITORY
from sam_template.translation import parse
from tools.event import RouteError, event_for, file_name, find_route, folder_of, is_rest

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,39}")
_ROUTE: Final = re.compile(r"(GET|POST|PUT|PATCH|DELETE|ANY) (/(?:(?:[A-Za-z0-9._~-]+|\{\w+\})(?:/|$))*(?:\{\w+\+\})?)")
_RULE: Final = "  # " + "-" * 115
_RESOURCES: Final = re.compile(r"(?m)^Resources:[ \t]*(?:#.*)?$")
_TOP_LEVEL: Final = re.compile(r"(?m)^[A-Za-z]")
_API: Final = "AWS::Serverless::HttpApi"
_CONCURRENCY: Final = "HasEnvironmentsPerFunction"

_RESOURCE: Final = """\
{rule}
  # {title}: {route}.
{rule}
  {function}:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: makefile
      ContextPath: .
      WorkingDirectory: .
      checkov:
        skip:
          - id: CKV_AWS_115
            comment: It shares the account's concurrency until somebody measures a need.
          - id: CKV_AWS_117
            comment: It reaches nothing in a VPC.
    Properties:
      Description: Answers {route}
      CodeUri: {folder}/
      Handler: lambda_handler.lambda_handler
      MemorySize: 256
      Timeout: 10
      AutoPublishAlias: live
{environment}\
      LoggingConfig:
        LogFormat: JSON
        LogGroup: !Ref {logs}
      Events:
        Route: {{Type: HttpApi, Properties: {{{api}Method: {method}, Path: "{path}"}}}}

  {logs}:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
{log_properties}
"""
_ENVIRONMENT: Final = """\
      Environment:
        Variables:
          AWS_LAMBDA_MAX_CONCURRENCY: !If [HasEnvironmentsPerFunction, !Ref EnvironmentsPerFunction, !Ref AWS::NoValue]
"""
_LOG_PROPERTIES: Final = {
    "LogRetentionDays": "      RetentionInDays: !Ref LogRetentionDays",
    "HasOwnKey": "      KmsKeyId: !If [HasOwnKey, !GetAtt ShopKey.Arn, !Ref AWS::NoValue]",
}
_HANDLER: Final = '''\
"""What {route} does."""
# ruff: noqa: INP001  this folder is what Lambda puts on the path, not a package

from __future__ import annotations

import json
from typing import Any


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Return the answer to an event of an HTTP API.

    Source: Amazon API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" (payload 2.0).
    """
    answer = {{"route": event["routeKey"]}}
    return {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": json.dumps(answer)}}
'''
_TEST: Final = '''\
"""{route} is answered."""

from __future__ import annotations

import json

from {folder}.lambda_handler import lambda_handler
from tests.events import load_event


def test_it_says_which_route_was_called() -> None:
    answer = lambda_handler(load_event("{fixture}"), None)
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {{"route": "{route}"}}
'''


class NewFunctionError(Exception):
    """A function that cannot be added; the message is a sentence with the remedy."""


@dataclass(frozen=True)
class NewFunction:
    """A function to add. `name` is what the person calls it: "Orders" or "OrdersFunction"."""

    name: str
    method: str
    path: str

    @classmethod
    def parse(cls, name: str, route: str) -> NewFunction:
        """Return what is asked for. Raises NewFunctionError."""
        if not _NAME.fullmatch(name):
            raise NewFunctionError(
                f"{name!r} is no name of a function: write up to 40 letters and digits that begin with a capital, for "
                "example FUNCTION=Orders."
            )
        asked = _ROUTE.fullmatch(route.strip())
        if asked is None:
            raise NewFunctionError(
                f'{route!r} is no route: write a method and a path, for example ROUTE="GET /orders/{{id}}".'
            )
        return cls(name, asked[1], asked[2])

    @property
    def route(self) -> str:
        """The route as the template's events name it: "GET /orders"."""
        return f"{self.method} {self.path}"

    @property
    def logical_id(self) -> str:
        """The function's: "OrdersFunction"."""
        return self.name if self.name.endswith("Function") else f"{self.name}Function"

    @property
    def log_group(self) -> str:
        """The logical id of its log group: "OrdersLogs"."""
        return f"{self.logical_id.removesuffix('Function') or self.logical_id}Logs"

    @property
    def folder(self) -> str:
        """The folder of its handler: "orders_function"."""
        return f"{folder_of(self.logical_id)}_function"


def add(function: NewFunction, root: Path) -> list[Path]:
    """Add `function` to the repository at `root`; return the files that are new or changed.

    Raises NewFunctionError, RouteError or TemplateError; then nothing is left of it.
    """
    path = root / "template.yaml"
    before = path.read_text(encoding="utf-8")
    template = Template.load(path)
    _require_new(function, template, root)
    written: list[Path] = []
    try:
        path.write_text(with_function(before, function, _is_declared(path, before)), encoding="utf-8")
        _require_only_added(function, before, path)
        handler = root / function.folder / "lambda_handler.py"
        fixture = _write_fixture(function, Template.load(path), root, written)
        texts = {
            handler: _HANDLER.format(route=function.route),
            root / "tests" / "unit" / function.folder / "test_lambda_handler.py": _TEST.format(
                route=function.route, folder=function.folder, fixture=fixture.relative_to(root / "events").as_posix()
            ),
        }
        for file, text in texts.items():
            _write(file, text, written)
    except Exception:
        path.write_text(before, encoding="utf-8")
        for file in written:
            file.unlink()
        raise
    return [path, *written]


def with_function(text: str, function: NewFunction, is_declared: Callable[[str], bool]) -> str:
    """Return a template's `text` with `function` as its last resource.

    `is_declared` tells whether the template has a parameter or a condition, or a resource of a type. Raises
    NewFunctionError for a template without Resources in block style.
    """
    start = _RESOURCES.search(text)
    if start is None:
        raise NewFunctionError('The template has no line "Resources:": write its resources below one.')
    end = _TOP_LEVEL.search(text, start.end())
    body = text[: end.start()] if end else text
    kept = body.rstrip("\n")
    # Comments that stand before the next section belong to it.
    lines = kept.split("\n")
    while lines and (not lines[-1].strip() or lines[-1].startswith("#")):
        lines.pop()
    place = len("\n".join(lines)) + 1
    logs = [line for name, line in _LOG_PROPERTIES.items() if is_declared(name)] or ["      RetentionInDays: 30"]
    api = re.search(rf"(?m)^  (\w+):\n    Type: {_API}\s*$", text)
    resource = _RESOURCE.format(
        rule=_RULE,
        title=(function.logical_id.removesuffix("Function") or function.logical_id).upper(),
        route=function.route,
        function=function.logical_id,
        folder=function.folder,
        environment=_ENVIRONMENT if is_declared(_CONCURRENCY) else "",
        logs=function.log_group,
        api=f"ApiId: !Ref {api[1]}, " if api else "",
        method=function.method,
        path=function.path,
        log_properties="\n".join(logs),
    )
    return f"{text[:place]}\n{resource}{text[place:]}"


def _is_declared(path: Path, text: str) -> Callable[[str], bool]:
    document = parse(path, text)
    names = {*document.get("Parameters", {}), *document.get("Conditions", {})}
    return names.__contains__


def _require_new(function: NewFunction, template: Template, root: Path) -> None:
    for logical_id in (function.logical_id, function.log_group):
        if logical_id in template.declared_resources:
            raise NewFunctionError(f"{template.path.name} has {logical_id} already: choose another name.")
    folders = (root / function.folder, root / "tests" / "unit" / function.folder)
    taken = next((folder for folder in folders if folder.exists()), None)
    if taken is not None:
        raise NewFunctionError(f"{taken.relative_to(root)}/ is there already: choose another name, or remove it.")
    for route in template.routes:
        methods = {route.method, function.method}
        if _same(route.path) == _same(function.path) and (len(methods) == 1 or "ANY" in methods):
            raise NewFunctionError(
                f"{route.function} answers {route.method} {route.path} already: choose another route."
            )


def _same(path: str) -> str:
    """Return a path in which all parameters are called alike: two paths that differ only so are one route."""
    return re.sub(r"\{\w+(\+?)\}", r"{\1}", path)


def _require_only_added(function: NewFunction, before: str, path: Path) -> None:
    """Raise NewFunctionError unless the template at `path` is what it was, and the function."""
    was, now = parse(path, before), parse(path, path.read_text(encoding="utf-8"))
    added = {function.logical_id, function.log_group}
    resources = {name: resource for name, resource in now["Resources"].items() if name not in added}
    if {**now, "Resources": resources} != was or not added <= set(now["Resources"]):
        raise NewFunctionError(
            f"{path.name} is written in a way that `make new` cannot add to: add the function by hand."
        )


def _write_fixture(function: NewFunction, template: Template, root: Path, written: list[Path]) -> Path:
    method = "GET" if function.method == "ANY" else function.method
    route, request = find_route(template, f"{method} {function.path}")
    folder = root / "events" / folder_of(route.function) / ("rest" if is_rest(template, route) else "")
    file = folder / f"{file_name(request, route)}.json"
    event: Mapping[str, Any] = event_for(template, route, request)
    _write(file, json.dumps(event, indent=2, ensure_ascii=False) + "\n", written)
    return file


def _write(file: Path, text: str, written: list[Path]) -> None:
    if file.exists():
        raise NewFunctionError(f"{file} is there already: move it away.")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    written.append(file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Add the function that `arguments` ask for, say what is where; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.new_function", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("name", help="for example Orders")
    parser.add_argument("route", help='for example "GET /orders"')
    parsed = parser.parse_args(arguments)
    try:
        function = NewFunction.parse(parsed.name, parsed.route)
        files = add(function, REPOSITORY)
    except (NewFunctionError, RouteError, TemplateError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename} cannot be written ({error.strerror}): make it writable.\n")
        return 1
    places = ", ".join(str(file.relative_to(REPOSITORY)) for file in files)
    sys.stdout.write(f"{function.logical_id} answers {function.route} ({places}): `make start`.\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
