"""emulator.toml is read strictly: what it cannot mean is one sentence with the place and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.errors import EmulatorError
from emulator.project.declaration import Declaration, SampleFiles, SampleItems, read_declaration
from sam_template import Template

WHOLE = """
stack_name = "mine"
build_command = "make build"
state_folder = "state"
install_folder = "/opt/installed"

[sources]
shared = ["common"]
left_out = ["*.md"]

[parameters]
Endpoint = "{aws_endpoint_url}"
Size = "3"

[container_parameters]
Architecture = "{architecture}"

[backing_services.redis.parameters]
CacheHost = "host"

[backing_services.elasticsearch]
index = "articles"
fill = ["make", "fill"]

[backing_services.elasticsearch.secrets.Keys]
SEARCH = "api_key"

[[items]]
table = "Articles"
file = "samples/articles.json"

[[items]]
table = "Authors"
file = "samples/authors.json"
[items.attributes]
id = { S = "{name}" }

[[files]]
bucket = "Pictures"
folder = "samples/pictures"
"""


def read(folder: Path, text: str) -> Declaration:
    (folder / "emulator.toml").write_text(text)
    return read_declaration(folder)


def test_without_a_file_nothing_is_wanted(tmp_path: Path) -> None:
    declaration = read_declaration(tmp_path)
    assert declaration == Declaration()
    assert (declaration.backing_services, declaration.items, declaration.files) == ({}, (), ())


def test_a_whole_one_is_read(tmp_path: Path) -> None:
    declaration = read(tmp_path, WHOLE)
    assert (declaration.stack_name, declaration.build_command) == ("mine", "make build")
    assert (declaration.state, declaration.installed) == (tmp_path / "state", Path("/opt/installed"))
    assert (declaration.packaging.shared, declaration.packaging.left_out) == (("common",), ("*.md",))
    assert declaration.parameters == {"Endpoint": "{aws_endpoint_url}", "Size": "3"}
    assert declaration.container_parameters == {"Architecture": "{architecture}"}
    assert set(declaration.backing_services) == {"redis", "elasticsearch"}
    search = declaration.backing_services["elasticsearch"]
    assert (search.index, search.fill, search.secrets) == (
        "articles",
        ("make", "fill"),
        {"Keys": {"SEARCH": "api_key"}},
    )
    assert declaration.items == (
        SampleItems("Articles", tmp_path / "samples/articles.json", None),
        SampleItems("Authors", tmp_path / "samples/authors.json", {"id": {"S": "{name}"}}),
    )
    assert declaration.files == (SampleFiles("Pictures", tmp_path / "samples/pictures"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x", "is not TOML"),
        ("stack = 'a'", "the top of the file has no key stack: choose sources, backing_services"),
        ("stack_name = 1", "the top of the file needs a text in quotes"),
        ("parameters = 1", "needs a table, in parameters"),
        ("[parameters]\nA = 1", 'emulator.toml: [parameters] must have a text in quotes for A: write A = "1"'),
        ("[parameters]\nA = '{aws}'", "[parameters] has {aws} for A: write a text, or {aws_endpoint_url}"),
        ("[parameters]\nA = '{architecture}'", "[parameters] has {architecture} for A"),
        ("[sources]\nshared = 'a'", "[sources] needs a list of texts"),
        ("[sources]\nshared = [1]", "[sources] must have texts in shared"),
        ("[sources]\nshraed = []", "[sources] has no key shraed: choose shared, left_out"),
        ("[backing_services.mysql]", "[backing_services] has no key mysql: choose redis, elasticsearch, anthropic"),
        (
            "[backing_services.redis]\nindex = 'a'",
            "[backing_services.redis] has no key index: choose secrets",
        ),
        (
            "[backing_services.redis.parameters]\nHost = 'hots'",
            '[backing_services.redis.parameters] has "hots" for Host: choose host, port, tls, cluster, password',
        ),
        (
            "[backing_services.redis.secrets.Keys]\nA = 'api_key'",
            '[backing_services.redis.secrets.Keys] has "api_key" for A: choose host',
        ),
        ("[items]\ntable = 'A'", "needs a list of tables: write [[items]]"),
        ("[[items]]\nfile = 'a.json'", '[[items]] needs table = "..."'),
        ("[[items]]\ntable = 'A'\nfile = 'a'\nkey = 'b'", "[[items]] has no key key: choose attributes, table, file"),
        (
            "[[items]]\ntable = 'A'\nfile = 'a'\n[items.attributes]\nid = {B = 'x'}",
            "[items.attributes.id] must be one of S, N, BOOL with a text",
        ),
        ("[[files]]\nbucket = 'A'", '[[files]] needs folder = "..."'),
    ],
)
def test_a_mistake_is_one_sentence_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError) as refused:
        read(tmp_path, text)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.fixture
def template(tmp_path: Path) -> Template:
    path = tmp_path / "template.yaml"
    path.write_text(
        "Parameters: {CacheHost: {Type: String, Default: x}}\n"
        "Resources:\n  Articles: {Type: AWS::SQS::Queue}\n  Keys: {Type: AWS::SecretsManager::Secret}\n"
    )
    return Template.load(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[parameters]\nSize = '3'", "fills the parameter Size, which template.yaml does not declare"),
        ("[backing_services.redis.parameters]\nHost = 'host'", "fills the parameter Host"),
        ("[[items]]\ntable = 'Articles'\nfile = 'a'", "declares no AWS::DynamoDB::Table of that name"),
        (
            "[[files]]\nbucket = 'Pictures'\nfolder = 'a'",
            "fills Pictures, and template.yaml declares no AWS::S3",
        ),
        ("[backing_services.redis.secrets.Key]\nA = 'host'", "fills Key, and template.yaml declares no AWS::Secrets"),
    ],
)
def test_what_the_template_does_not_have_is_one_sentence(
    text: str, sentence: str, template: Template, tmp_path: Path
) -> None:
    with pytest.raises(EmulatorError) as refused:
        read(tmp_path, text).check(template)
    assert sentence in str(refused.value)


def test_what_the_template_has_is_accepted(template: Template, tmp_path: Path) -> None:
    text = "[backing_services.redis.parameters]\nCacheHost = 'host'\n[backing_services.redis.secrets.Keys]\nA = 'host'"
    read(tmp_path, text).check(template)
