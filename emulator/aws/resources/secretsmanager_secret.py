"""AWS::SecretsManager::Secret.

Source: AWS CloudFormation Template Reference, "AWS::SecretsManager::Secret" and its GenerateSecretString; AWS Secrets
Manager API Reference, "GetRandomPassword" (what each option excludes and requires).
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Mapping
from typing import Any, Final

from emulator.aws.clients import Clients
from emulator.aws.resource_type import Properties, ResourceType
from emulator.aws.schema import TAGS, Kind, PropertyError, Schema

PROPERTIES: Final[Mapping[str, Schema]] = {
    "Description": Kind.TEXT,
    "GenerateSecretString": {
        "ExcludeCharacters": Kind.TEXT,
        "ExcludeLowercase": Kind.FLAG,
        "ExcludeNumbers": Kind.FLAG,
        "ExcludePunctuation": Kind.FLAG,
        "ExcludeUppercase": Kind.FLAG,
        "GenerateStringKey": Kind.TEXT,
        "IncludeSpace": Kind.FLAG,
        "PasswordLength": Kind.WHOLE,
        "RequireEachIncludedType": Kind.FLAG,
        "SecretStringTemplate": Kind.TEXT,
    },
    "KmsKeyId": Kind.TEXT,
    "Name": Kind.TEXT,
    "SecretString": Kind.TEXT,
    "Tags": TAGS,
}
_CHARACTER_TYPES: Final = {
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
    "ExcludeNumbers": string.digits,
    "ExcludePunctuation": string.punctuation,
}
_DEFAULT_LENGTH: Final = 32
_LONGEST: Final = 4096


def secret_string(name: str, properties: Mapping[str, Any]) -> str:
    """Return the value that CloudFormation gives the secret `name` when it creates it ("" when none is declared).

    A generated password is the same whenever the same secret is made again: clients that read it before a reset or a
    restart of the emulator still know it after. It guards nothing but a laptop's loopback interface.
    """
    if "GenerateSecretString" not in properties:
        return str(properties.get("SecretString", ""))
    options = properties["GenerateSecretString"]
    generated = password(options, random.Random(name))  # noqa: S311 (see above: the same each time)
    if ("SecretStringTemplate" in options) != ("GenerateStringKey" in options):
        raise PropertyError("GenerateSecretString needs both SecretStringTemplate and GenerateStringKey, or neither")
    if "SecretStringTemplate" not in options:
        return generated
    try:
        template = json.loads(options["SecretStringTemplate"])
    except ValueError as error:
        raise PropertyError(f"GenerateSecretString.SecretStringTemplate is not JSON ({error})") from error
    if not isinstance(template, dict):
        raise PropertyError("GenerateSecretString.SecretStringTemplate must be a JSON object")
    return json.dumps(template | {options["GenerateStringKey"]: generated})


def password(options: Mapping[str, Any], source: random.Random) -> str:
    """Return a password as GetRandomPassword makes it: at least one of each included type unless told otherwise."""
    length = options.get("PasswordLength", _DEFAULT_LENGTH)
    excluded = options.get("ExcludeCharacters", "")
    types = [characters for option, characters in _CHARACTER_TYPES.items() if not options.get(option, False)]
    if options.get("IncludeSpace", False):
        types.append(" ")
    types = [kept for characters in types if (kept := "".join(c for c in characters if c not in excluded))]
    if not types or not 1 <= length <= _LONGEST:
        raise PropertyError(f"GenerateSecretString leaves no character or a PasswordLength outside 1 to {_LONGEST}")
    required = types if options.get("RequireEachIncludedType", True) else []
    if len(required) > length:
        raise PropertyError(f"GenerateSecretString.PasswordLength is too short for {len(required)} character types")
    chosen = [source.choice(characters) for characters in required]
    chosen += source.choices("".join(types), k=length - len(chosen))
    source.shuffle(chosen)
    return "".join(chosen)


def _create(clients: Clients, name: str, properties: Properties) -> str:
    """Create the secret; one that exists keeps its value, as CloudFormation writes a generated one once.

    `Ref` gives its ARN.
    """
    manager = clients.secretsmanager
    value = secret_string(name, properties)
    settings = {key: properties[key] for key in ("Description", "KmsKeyId") if key in properties}
    tags = properties.get("Tags", [])
    request: Any = settings | ({"SecretString": value} if value else {})
    try:
        arn = manager.create_secret(Name=name, Tags=tags, **request)["ARN"]
    except manager.exceptions.ResourceExistsException:
        present = manager.describe_secret(SecretId=name)
        arn = present["ARN"]
        if settings:
            manager.update_secret(SecretId=arn, **settings)
        stale = sorted({tag["Key"] for tag in present.get("Tags", [])} - {tag["Key"] for tag in tags})
        if stale:
            manager.untag_resource(SecretId=arn, TagKeys=stale)
        if tags:
            manager.tag_resource(SecretId=arn, Tags=tags)
    return str(arn)


def _read(clients: Clients, arn: str, declared: Properties) -> Properties:
    """Return what it has. What was generated is judged, not shown."""
    manager: Any = clients.secretsmanager
    described = manager.describe_secret(SecretId=arn)
    value = manager.get_secret_value(SecretId=arn).get("SecretString", "")
    recipe = declared.get("GenerateSecretString")
    return {
        **{key: described.get(key) for key in ("Description", "KmsKeyId", "Name", "Tags")},
        "GenerateSecretString": None if recipe is None else _recipe(value, recipe),
        "SecretString": value,
    }


def _recipe(value: str, declared: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return of which GenerateSecretString a secret's value can be."""
    members: dict[str, Any] = {}
    if key := declared.get("GenerateStringKey"):
        members = json.loads(value)
        value = str(members.pop(key, ""))
    types = {option: not any(c in characters for c in value) for option, characters in _CHARACTER_TYPES.items()}
    return {
        **types,
        "ExcludeCharacters": "".join(c for c in declared.get("ExcludeCharacters", "") if c not in value),
        "GenerateStringKey": key if value else None,
        "IncludeSpace": " " in value,
        "PasswordLength": len(value),
        "RequireEachIncludedType": all(types[option] == declared.get(option, False) for option in types),
        "SecretStringTemplate": members,
    }


def _restore(clients: Clients, arn: str, properties: Properties) -> None:
    """Give the secret the value that it was created with."""
    name = clients.secretsmanager.describe_secret(SecretId=arn)["Name"]
    value = secret_string(name, properties)
    if value:
        clients.secretsmanager.put_secret_value(SecretId=arn, SecretString=value)


RESOURCE: Final = ResourceType(
    "AWS::SecretsManager::Secret",
    PROPERTIES,
    create=_create,
    read=_read,
    attributes={"Id": "{ref}"},
    name_property="Name",
    restore=_restore,
)
