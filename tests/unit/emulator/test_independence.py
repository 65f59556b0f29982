"""The emulator knows nothing of the shop: no name of its template or declaration is in the emulator's sources."""

from __future__ import annotations

import re

from sam_template import Template
from sam_template.repository import REPOSITORY, TEMPLATE
from tests.shop import PROJECT

EMULATOR = REPOSITORY / "emulator"
WORDS_OF_AWS = {"CloudFront", "DomainName", "PermissionsBoundary", "VpcId"}
"""Names of the template that are properties, types or services of AWS, too."""
A_WORD = re.compile(r"[A-Z][a-z0-9]*")
"""A name of one word, such as Stage or Key, says nothing of a shop."""


def words_of_the_shop() -> set[str]:
    template = Template.load(TEMPLATE)
    own = {*template.declared_resources, *template.parameters}
    own |= {name for service in PROJECT.declaration.backing_services.values() for name in service.parameters}
    own |= {items.table for items in PROJECT.declaration.items} | {files.bucket for files in PROJECT.declaration.files}
    own |= {folder.name for folder in REPOSITORY.glob("*_function")} | {
        "lambda_http",
        "shopping_bot",
        "sample_data/",
        "shop-on-sam",
    }
    return {name for name in own - WORDS_OF_AWS if not A_WORD.fullmatch(name)}


def test_no_name_of_the_shop_is_in_its_sources() -> None:
    words = re.compile(rf"\b({'|'.join(map(re.escape, sorted(words_of_the_shop())))})\b")
    found = [
        f"{file.relative_to(REPOSITORY)}: {match[0]}"
        for file in sorted(EMULATOR.rglob("*.py"))
        for match in words.finditer(file.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_words_are_those_of_the_shop() -> None:
    assert {"ShopInventory", "DataBucket", "ShopSecret", "RedisHost", "EnvironmentsPerFunction"} <= words_of_the_shop()
