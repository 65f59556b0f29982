"""A SAM template turned into plain CloudFormation by SAM's own translator, and kept.

Importing the translator takes longer than everything else the emulator does before its first answer, so a translation
is kept under the hash of what it depends on: the template, the parameter values and the translator's version.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

KEPT_TRANSLATIONS: Final = 8
_FORMAT: Final = "3"  # of the kept files
_CODE_PROPERTIES: Final = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
# The translator takes code that is packaged already; where it lies means nothing to a local run.
_DEFINITIONS: Final = {
    "AWS::Serverless::Api": "DefinitionBody",
    "AWS::Serverless::HttpApi": "DefinitionBody",
    "AWS::Serverless::StateMachine": "Definition",
}
"""Types that may keep a part of themselves in a file, DefinitionUri, and the property that holds it written out."""
_DEFINITION_FILE: Final = re.compile(r"DefinitionUri[\"']?\s*:\s*[\"']?([^\s\"',}]+)")
_PACKAGED_CODE: Final = "s3://packaged/code"


class TemplateError(Exception):
    """A template that cannot be used; the message is one sentence that names the file, the place and the remedy."""


@dataclass(frozen=True)
class Translation:
    """Plain CloudFormation, and where each function's (or layer's) code lies as the SAM template wrote it."""

    document: Mapping[str, Any]
    code_uris: Mapping[str, str]


def translate(path: Path, parameters: Mapping[str, str], cache: Path | None, region: str) -> Translation:
    """Return the translation of the template at `path`, from `cache` (a folder) when it is there.

    `parameters` and `region` are those of the deployment. Raises TemplateError for a file that cannot be read, is not
    YAML, or that SAM's translator refuses.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path} cannot be read ({error}); name an existing template.") from error
    files = "".join(_text_of(path.parent / name) for name in _DEFINITION_FILE.findall(source))
    kept = None if cache is None else cache / f"{_fingerprint(source + files, parameters, region)}.json"
    if kept is not None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            return Translation(**json.loads(kept.read_bytes()))
    translation = _translate(path, source, parameters, region)
    if kept is not None:
        _keep(kept, translation)
    return translation


def place(path: Path, source: str, name: str) -> str:
    """Return "template.yaml, line 12" for the key `name` of the YAML text, or only the file when it is not found."""
    for number, line in enumerate(source.splitlines(), start=1):
        if re.match(rf"\s+[\"']?{re.escape(name)}[\"']?\s*:", line):
            return f"{path.name}, line {number}"
    return path.name


def _fingerprint(source: str, parameters: Mapping[str, str], region: str) -> str:
    import samtranslator  # the package alone: its version, none of its modules

    parts = [_FORMAT, str(samtranslator.__version__), region, json.dumps(dict(sorted(parameters.items()))), source]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _keep(kept: Path, translation: Translation) -> None:
    """Write the translation for the next start; a folder that cannot be written costs time, nothing else."""
    with contextlib.suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(json.dumps(vars(translation)), encoding="utf-8")
        draft.replace(kept)
        by_age = sorted(kept.parent.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in by_age[KEPT_TRANSLATIONS:]:
            old.unlink(missing_ok=True)


def _translate(path: Path, source: str, parameters: Mapping[str, str], region: str) -> Translation:
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import to_py27_compatible_template, undo_mark_unicode_str_in_template

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of switches that only AWS can turn
    document = parse(path, source)
    code_uris = _package(document)
    _write_out_definitions(path, document)
    values = dict(parameters)
    # The steps of samtranslator.translator.transform.transform, with a session that needs no configuration: boto3's own
    # would read ~/.aws and fail on a profile that is gone.
    try:
        to_py27_compatible_template(document, values)
        translator = Translator(None, Parser(), boto_session=SimpleNamespace(region_name=region))
        try:
            translated = translator.translate(document, values, get_managed_policy_map=dict)
        finally:
            translator.metrics.publish()  # to nobody; it warns otherwise
        plain = undo_mark_unicode_str_in_template(translated)
    except InvalidDocumentException as error:
        causes = [_cause(path, source, cause.message) for cause in error.causes]
        raise TemplateError("; ".join(causes)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise TemplateError(
            f"{path.name} is not a template that SAM's translator can read ({error}); `sam validate --lint` says more."
        ) from error
    return Translation(json.loads(json.dumps(plain)), code_uris)


def parse(path: Path, source: str) -> dict[str, Any]:
    """Return the YAML (or JSON) template as data, short forms such as `!Ref` written out.

    Raises TemplateError with the line of the mistake.
    """
    document = _load_yaml(path, source)
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{path.name} declares no Resources; it must be a SAM template.")
    for logical_id, resource in document["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"{place(path, source, str(logical_id))}: {logical_id} needs a Type.")
    return document


def _load_yaml(path: Path, source: str) -> Any:
    """Return YAML (or JSON) as data, short forms written out. Raises TemplateError with the line of the mistake."""
    import yaml
    from samtranslator.yaml_helper import intrinsics_multi_constructor

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # libyaml's: 15 times as quick
        """SafeLoader that knows the intrinsics' tags; a class of its own so that yaml's stays as it is."""

    Loader.add_multi_constructor("!", intrinsics_multi_constructor)
    # To CloudFormation, 2012-10-17 is a text, with or without quotes.
    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return yaml.load(source, Loader)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise TemplateError(f"{path.name}{line}: this is not YAML ({error.problem}); correct it.") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{path.name}: this is not YAML ({error}); correct it.") from error


def _package(document: dict[str, Any]) -> dict[str, str]:
    """Rewrite local code locations as packaged ones, in place; return what they were by logical id."""
    inherited = None
    defaults = (document.get("Globals") or {}).get("Function")
    if isinstance(defaults, dict):
        inherited = defaults.get("CodeUri")
        if isinstance(inherited, str):
            defaults["CodeUri"] = _PACKAGED_CODE
    found = {}
    for logical_id, resource in document["Resources"].items():
        name = _CODE_PROPERTIES.get(resource["Type"])
        properties = resource.get("Properties")
        if isinstance(properties, dict) and properties.get("PackageType") == "Image":
            _name_image(logical_id, resource, properties)
            continue
        if name is None or not isinstance(properties, dict):
            continue
        location = properties.get(name, inherited if name == "CodeUri" else None)
        if isinstance(location, str):
            found[logical_id] = location
            properties[name] = _PACKAGED_CODE
    return found


def _name_image(logical_id: str, resource: Mapping[str, Any], properties: dict[str, Any]) -> None:
    """Give an Image function the name under which `sam build` keeps what it builds of the function's Dockerfile.

    Source: SAM CLI 1.170, `ApplicationBuilder._build_lambda_image`.
    """
    metadata = resource.get("Metadata")
    if not isinstance(metadata, dict) or "Dockerfile" not in metadata:
        return
    name = f"{str(metadata.get('DockerImage', logical_id)).lower()}:{metadata.get('DockerTag', 'latest')}"
    if resource["Type"] == "AWS::Serverless::Function":
        properties["ImageUri"] = name
    elif resource["Type"] == "AWS::Lambda::Function":
        properties["Code"] = {"ImageUri": name}


def _write_out_definitions(path: Path, document: dict[str, Any]) -> None:
    """Put the files that a DefinitionUri names where the translator takes them, in place."""
    for logical_id, resource in document["Resources"].items():
        name, properties = _DEFINITIONS.get(resource["Type"]), resource.get("Properties")
        location = properties.get("DefinitionUri") if isinstance(properties, dict) else None
        if name is None or not isinstance(location, str) or "://" in location:
            continue
        file = path.parent / location
        text = _text_of(file)
        if not text:
            raise TemplateError(f"{path.name}: the DefinitionUri of {logical_id} names {file}, which cannot be read.")
        properties.pop("DefinitionUri")
        properties[name] = _load_yaml(file, text)


def _text_of(file: Path) -> str:
    """Return what is in a file, "" for one that cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _cause(path: Path, source: str, message: str) -> str:
    named = re.search(r"\[([A-Za-z0-9]+)\]", message)
    where = place(path, source, named.group(1)) if named else path.name
    return f"{where}: {message.rstrip('.')}."
