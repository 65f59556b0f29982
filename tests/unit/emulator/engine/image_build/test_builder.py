"""Dockerfiles that need no package index: what becomes of their instructions."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from emulator.engine.built_images import BuildRequest, BuiltImages
from emulator.engine.function import Function
from emulator.engine.image_build.builder import BuildSettings
from emulator.engine.images import Image

FROM = "FROM public.ecr.aws/lambda/python:3.13\n"
FILES = {"app.py": "def handler(event, context): pass", "data/one.txt": "1", "data/two.log": "2", ".dockerignore": ""}


def build(
    folder: Path,
    dockerfile: str,
    settings: BuildSettings | None = None,
    name: str = "shop",
    files: dict[str, str] | None = None,
) -> tuple[Image, str]:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, text in {**FILES, **(files or {}), "Dockerfile": dockerfile}.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    said: list[str] = []
    images = BuiltImages(folder / "layers", folder / "images")
    image = images.build(BuildRequest(name, packed, settings=settings or BuildSettings()), said.append)
    return image, "".join(said)


def files(image: Image) -> dict[str, str]:
    assert image.root is not None
    return {
        "/" + path.relative_to(image.root).as_posix(): path.read_text()
        for path in image.root.rglob("*")
        if path.is_file()
    }


def test_files_and_settings_make_an_image(tmp_path: Path) -> None:
    image, said = build(
        tmp_path,
        """ARG VERSION=3.12
        FROM public.ecr.aws/lambda/python:${VERSION}
        ARG NAME=nobody
        ENV GREETING="hello $NAME" LEVEL=INFO
        LABEL a=b
        EXPOSE 8080
        WORKDIR ${LAMBDA_TASK_ROOT}
        COPY --chown=1:1 app.py data/*.txt ./
        ADD ["data", "/opt/data"]
        CMD ["app.handler"]""",
        BuildSettings({"VERSION": "3.13", "NAME": "you"}),
    )
    assert image.runtime == "python3.13"
    assert dict(image.environment) == {"GREETING": "hello you", "LEVEL": "INFO"}
    assert image.command == ("app.handler",)
    assert image.entrypoint == ("/lambda-entrypoint.sh",)
    assert files(image).keys() == {"/var/task/app.py", "/var/task/one.txt", "/opt/data/one.txt", "/opt/data/two.log"}
    assert "Step 8/10 : COPY --chown=1:1 app.py data/*.txt ./" in said


def test_a_stage_gives_files_to_a_later_one_and_a_target_is_where_it_ends(tmp_path: Path) -> None:
    dockerfile = f'{FROM.strip()} AS build\nCOPY app.py /package/\nCMD ["build"]\n{FROM}'
    dockerfile += "COPY --from=build /package ${LAMBDA_TASK_ROOT}\nCMD app.handler"
    image, _ = build(tmp_path, dockerfile)
    assert files(image).keys() == {"/var/task/app.py"}
    assert image.command == ("/bin/sh", "-c", "app.handler")
    stage, said = build(tmp_path, dockerfile, BuildSettings(target="build"))
    assert stage.command == ("build",)
    assert "has files that a function does not find here" in said
    assert "/package/app.py" in said


def test_an_image_is_built_on_one_that_was_built(tmp_path: Path) -> None:
    build(tmp_path, FROM + 'COPY app.py ./\nENV A=1\nCMD ["app.handler"]', name="base:v1")
    image, _ = build(tmp_path, "FROM base:v1\nCOPY data ./data\nENV B=$A")
    assert files(image).keys() == {"/var/task/app.py", "/var/task/data/one.txt", "/var/task/data/two.log"}
    assert dict(image.environment) == {"A": "1", "B": "1"}
    assert image.command == ("app.handler",)


def test_an_entry_point_ends_the_command_of_the_base(tmp_path: Path) -> None:
    build(tmp_path, FROM + 'CMD ["base"]', name="base")
    client = 'ENTRYPOINT ["python", "-m", "awslambdaric"]'
    assert build(tmp_path, f"FROM base\n{client}")[0].command == ()
    assert build(tmp_path, f'FROM base\nCMD ["own"]\n{client}')[0].command == ("own",)


@pytest.mark.parametrize("name", [".dockerignore", "Dockerfile.dockerignore"])
def test_what_is_ignored_is_not_copied(tmp_path: Path, name: str) -> None:
    image, _ = build(tmp_path, FROM + "COPY . .", files={name: "# logs\n**/*.log\nDockerfile*\n.dockerignore\n"})
    assert files(image).keys() == {"/var/task/app.py", "/var/task/data/one.txt"}


def test_the_same_is_built_once_and_an_engine_that_starts_later_finds_it(tmp_path: Path) -> None:
    first, said = build(tmp_path, FROM + "COPY app.py ./")
    assert "Using cache" not in said
    again, said = build(tmp_path, FROM + "COPY app.py ./", name="other:v2")
    assert "Using cache" in said
    assert again.root == first.root
    changed, said = build(tmp_path, FROM + "COPY app.py ./", files={"app.py": "changed"})
    assert "Using cache" not in said
    later = BuiltImages(tmp_path / "layers", tmp_path / "images")
    found = later.find("shop:latest")
    assert found == later.find("shop") == later.find(changed.digest) == later.find(changed.digest[7:19])
    assert found is not None
    assert files(found) == {"/var/task/app.py": "changed"}


def test_what_no_name_has_any_more_goes(tmp_path: Path) -> None:
    roots = [build(tmp_path, FROM + "COPY app.py ./", files={"app.py": str(number)})[0].root for number in range(4)]
    assert [root is not None and root.is_dir() for root in roots] == [False, False, True, True]
    kept = {json_file.stem for json_file in (tmp_path / "images" / "builds").glob("*.json")}
    assert kept == {root.name for root in roots[2:] if root}
    assert len(json.loads((tmp_path / "images" / "names.json").read_text())["shop:latest"]) == 2


def test_what_another_engine_has_found_stays_until_that_ends(tmp_path: Path) -> None:
    first, _ = build(tmp_path, FROM + "COPY app.py ./")
    other = BuiltImages(tmp_path / "other", tmp_path / "images")
    assert other.find("shop") is not None
    assert first.root is not None
    for number in range(3):
        build(tmp_path, FROM + "COPY app.py ./", files={"app.py": str(number)})
    assert first.root.is_dir()
    other.close()
    build(tmp_path, FROM + "COPY app.py ./", files={"app.py": "last"})
    assert not first.root.exists()


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("COPY nothing.py ./", "COPY in line 2 of the Dockerfile cannot be carried out: nothing.py is not there."),
        ("COPY ../outside ./", "COPY in line 2 .* is outside the build context"),
        ("COPY app.py", "COPY in line 2 .* needs a source and a destination"),
        ("COPY --from=none a b", "COPY in line 2 .* copies from none, which is no stage before it"),
        ("COPY --parents app.py ./", "COPY in line 2 .* has the option --parents"),
        ("ADD https://example.com/x ./", "ADD in line 2 .* fetches from the network"),
        ("\nUSER app", "USER in line 3 .* is not carried out here"),
        ("HEALTHCHECK NONE", "HEALTHCHECK in line 2 .* ENGINE=docker"),
        ("ENV A", "ENV in line 2 .* gives no value"),
        ("RUN --mount=type=cache pip install x", "RUN in line 2 .* has the option --mount"),
        ("RUN pip install --user x", "RUN in line 2 .* leave --user away"),
        ("FROM node:22", "FROM in line 2 .* names node:22, which is neither"),
        ("ENV A='b", "ENV in line 2 .* the quote ' is not closed"),
    ],
)
def test_what_cannot_be_carried_out_is_named_with_its_line(tmp_path: Path, lines: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        build(tmp_path, FROM + lines)
    assert list((tmp_path / "images" / "builds").iterdir()) == []


def test_a_dockerfile_that_is_not_there_is_named_in_the_words_that_sam_knows(tmp_path: Path) -> None:
    images = BuiltImages(tmp_path, tmp_path)
    packed = io.BytesIO()
    tarfile.open(fileobj=packed, mode="w").close()
    with pytest.raises(ValueError, match="Cannot locate specified Dockerfile: Own is not"):
        images.build(BuildRequest("x", packed, "Own"), print)


def test_a_command_without_a_container_is_a_function(tmp_path: Path) -> None:
    image, _ = build(tmp_path, FROM + 'COPY app.py ./\nENV A=1 B=2\nCMD ["app.handler"]')
    function = Function.of_image(image, {"B": "3"})
    assert image.root is not None
    assert (function.handler, function.task_root) == ("app.handler", image.root / "var/task")
    assert function.variables == {"A": "1", "B": "3"}
