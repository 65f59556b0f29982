"""When an engine is there for `sam build`, and what `sam` finds on its PATH."""

import asyncio
import os
from pathlib import Path

import docker
import pytest

from emulator.sam.sam_build import TOOLS, build_environment, has_images, image_builder


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PackageType: Image", True),
        ('{"PackageType": "Image"}', True),
        ("PackageType: !Ref Kind", True),
        ("PackageType: Zip", False),
        ("Runtime: python3.13", False),
    ],
)
def test_a_template_may_have_images(tmp_path: Path, text: str, expected: bool) -> None:
    (tmp_path / "template.yaml").write_text(text)
    assert has_images(tmp_path / "template.yaml") is expected


@pytest.mark.parametrize("kind", ["Location: parts/orders.yaml", 'TemplateURL: "./parts/orders.yaml"'])
def test_a_nested_stack_may_have_images(tmp_path: Path, kind: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "template.yaml").write_text(f"Resources: {{Nested: {{Properties: {{{kind}}}}}}}")
    nested = tmp_path / "parts/orders.yaml"
    nested.write_text("Back: {Location: ../template.yaml}\nRuntime: python3.13\n")  # a circle is sam's to complain of
    assert not has_images(tmp_path / "template.yaml")
    nested.write_text("PackageType: Image")
    assert has_images(tmp_path / "template.yaml")


def test_a_template_that_is_not_there_is_sams_to_complain_of(tmp_path: Path) -> None:
    assert not has_images(tmp_path / "none.yaml")


def test_sams_builders_find_the_programs_of_the_virtual_environment() -> None:
    assert build_environment({"PATH": "/usr/bin"})["PATH"] == f"{TOOLS}{os.pathsep}/usr/bin"


def test_an_engine_answers_for_as_long_as_a_build_takes(tmp_path: Path) -> None:
    def ping(address: str) -> None:
        client = docker.DockerClient(base_url=address)
        try:
            assert client.ping()
        finally:
            client.close()

    async def scenario() -> None:
        async with image_builder(tmp_path / "run" / "build.sock", tmp_path) as address:
            await asyncio.to_thread(ping, address)

    asyncio.run(scenario())
    assert not (tmp_path / "run" / "build.sock").exists()
