"""Names of the files that may be downloaded."""

from urllib.parse import unquote

from app.problem import Problem

_MAXIMUM_CHARACTERS = 255
_MAXIMUM_BYTES = 1024  # the longest key of S3


def parse(filename: str) -> str:
    """Return `filename` when it names one file of the bucket's top level.

    The rules hold for the name and for whatever further percent-decoding would make of it, so that a proxy that
    decodes once more finds nothing either. Raises Problem 400.
    """
    if not 0 < len(filename) <= _MAXIMUM_CHARACTERS or len(filename.encode(errors="replace")) > _MAXIMUM_BYTES:
        raise Problem(400, f"Give a filename of 1 to {_MAXIMUM_CHARACTERS} characters.")
    form = filename
    while True:
        _check(form)
        decoded = unquote(form)
        if decoded == form:
            return filename
        form = decoded


def _check(form: str) -> None:
    if "/" in form or "\\" in form or form in {".", ".."}:
        raise Problem(400, "Give the name of a file without any path: no slash, no backslash, no .. segment.")
    if any(ord(character) < 0x20 or 0x7F <= ord(character) <= 0x9F for character in form):
        raise Problem(400, "Give a filename without control characters.")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in form):
        raise Problem(400, "Give a filename in UTF-8.")
