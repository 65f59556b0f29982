import pytest

from emulator.engine.images import find_image, no_such_image


@pytest.mark.parametrize(
    ("name", "runtime"),
    [
        ("public.ecr.aws/lambda/python:3.13-x86_64", "python3.13"),
        ("public.ecr.aws/lambda/python:3.13-rapid-x86_64", "python3.13"),
        ("public.ecr.aws/lambda/python:3.11-arm64", "python3.11"),
        ("public.ecr.aws/lambda/python:3.14-rapid-arm64", "python3.14"),
        ("public.ecr.aws/lambda/python:3.12", "python3.12"),
    ],
)
def test_an_image_of_sam_names_a_runtime_whatever_its_architecture(name: str, runtime: str) -> None:
    image = find_image(name)
    assert image is not None
    assert image.runtime == runtime


@pytest.mark.parametrize(
    "name",
    [
        "public.ecr.aws/lambda/nodejs:22-rapid-x86_64",
        "samcli/lambda-python:3.13-x86_64-0123456789abcdef012345678",
        "inventoryfunction:rapid-x86_64",
        "evil/public.ecr.aws/lambda/python:3.13",
        "",
    ],
)
def test_other_images_are_absent(name: str) -> None:
    assert find_image(name) is None


def test_the_local_image_is_as_new_as_the_registrys() -> None:
    # SAM compares RepoDigests[0] of the local base with the registry's Descriptor.digest; a difference means a build.
    image = find_image("public.ecr.aws/lambda/python:3.13-x86_64")
    assert image is not None
    local = image.inspection()["RepoDigests"][0].split("@")[1]
    assert local == image.distribution()["Descriptor"]["digest"]
    assert isinstance(image.inspection()["Config"], dict)


def test_docker_py_knows_an_absent_image_by_its_words() -> None:
    from docker.errors import _image_not_found_explanation_fragments as fragments

    assert any(fragment in no_such_image("x").lower() for fragment in fragments)
