"""The build contexts of SAM CLI, and others."""

import io
import tarfile
from pathlib import Path

import pytest

from emulator.engine.built_images import BuildRequest, BuiltImages
from emulator.engine.images import Image

NAME = "samcli/lambda-python:3.13-x86_64-0123456789abcdef012345678"
DOCKERFILE = """FROM public.ecr.aws/lambda/python:3.13-x86_64
ADD aws-lambda-rie-x86_64 /var/rapid/
RUN mv /var/rapid/aws-lambda-rie-x86_64 /var/rapid/aws-lambda-rie && chmod +x /var/rapid/aws-lambda-rie
ADD One /opt
ADD Two /tmp/layer1
RUN cp -rf /tmp/layer1/. /opt/ && rm -rf /tmp/layer1
"""


def context(dockerfile: str = DOCKERFILE, **files: str) -> io.BytesIO:
    """A build context; `One__both` is the file `both` of the layer One."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in {"Dockerfile": dockerfile, "/aws-lambda-rie-x86_64": "", **files}.items():
            member = tarfile.TarInfo(name.replace("__", "/"))
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed


def build(images: BuiltImages, dockerfile: str = DOCKERFILE, **files: str) -> Path:
    image = images.build(BuildRequest(NAME, context(dockerfile, **files)), print)
    assert image.layers is not None
    return image.layers


def test_the_layers_are_put_over_one_another(tmp_path: Path) -> None:
    images = BuiltImages(tmp_path / "layers", tmp_path)
    folder = build(images, One__both="one", One__first="1", Two__both="two")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"both": "two", "first": "1"}
    found = images.find(NAME)
    assert isinstance(found, Image)
    assert (found.runtime, found.layers) == ("python3.13", folder)


def test_the_same_content_is_kept_once(tmp_path: Path) -> None:
    images = BuiltImages(tmp_path, tmp_path)
    assert build(images, One__a="1", Two__b="2") == build(images, One__a="1", Two__b="2")
    assert build(images, One__a="1", Two__b="3") != build(images, One__a="1", Two__b="2")


def test_what_neither_an_image_nor_a_container_has_any_more_goes(tmp_path: Path) -> None:
    images = BuiltImages(tmp_path, tmp_path / "images")
    used, gone, *kept = [build(images, One__a=str(number)) for number in range(4)]
    images.prune([used])
    assert set(tmp_path.iterdir()) == {used, *kept}
    assert not gone.exists()


@pytest.mark.parametrize(
    "line", ["RUN rm -rf /", "COPY One /opt", "ADD One /etc", "FROM public.ecr.aws/lambda/nodejs:22"]
)
def test_any_other_dockerfile_is_refused_with_the_way_out(tmp_path: Path, line: str) -> None:
    images = BuiltImages(tmp_path, tmp_path)
    with pytest.raises(ValueError, match="ENGINE=docker"):
        build(images, DOCKERFILE + line)
    assert images.find(NAME) is None


@pytest.mark.parametrize("name", ["One/../../outside", "One//outside/../../../x"])
def test_no_file_leaves_the_layers_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "layers"
    with pytest.raises(ValueError, match="ENGINE=docker"):
        build(BuiltImages(folder, tmp_path), **{name: "x"})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
