"""Images that the engine builds, and their functions as the gateway and the events run them: without a container."""

from __future__ import annotations

import asyncio
import io
import json
import os
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from emulator.declared_functions import as_sam_describes_it
from emulator.engine import Engine
from emulator.engine.built_images import BuildRequest
from emulator.engine.image_build import shell_command
from emulator.gateway.engine_functions import EngineFunctions, OutputLog
from emulator.interpreters import find_interpreter
from sam_template import Template
from sam_template.repository import INSTALLED

WRITTEN = Path("/usr/written")
FROM = "FROM public.ecr.aws/lambda/python:3.13\n"
SOURCE = """
import os
def handler(event, context):
    return {"event": event, "level": os.environ["LEVEL"], "region": os.environ["AWS_REGION"]}
"""
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Shop:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, Timeout: 10}
    Metadata: {Dockerfile: Dockerfile, DockerContext: .}
  Absent:
    Type: AWS::Serverless::Function
    Properties: {PackageType: Image, ImageUri: absent}
"""


def context(dockerfile: str) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, text in {"Dockerfile": dockerfile, "app.py": SOURCE}.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed


def run(folder: Path, scenario: Callable[[Engine], Awaitable[None]]) -> None:
    async def prepared() -> None:
        engine = Engine(folder / "run" / "e.sock", installed=INSTALLED, images=folder / "images")
        await engine.start()
        try:
            await scenario(engine)
        finally:
            await engine.stop()

    asyncio.run(prepared())


def test_an_image_function_runs_beside_one_whose_image_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    template = Template.load(tmp_path / "template.yaml")

    async def scenario(engine: Engine) -> None:
        dockerfile = FROM + 'COPY app.py ./\nENV LEVEL=DEBUG\nCMD ["app.handler"]'
        await engine.build(BuildRequest("shop:latest", context(dockerfile)), None, lambda _: None)
        declared = {
            name: as_sam_describes_it(template, name, tmp_path, {}, engine.find_image) for name in ("Shop", "Absent")
        }
        with (tmp_path / "log").open("wb") as log:
            functions = EngineFunctions(engine.functions, declared, OutputLog(log.fileno()))
            functions.start()
            try:
                answer = await functions.invoke("Shop", b'{"a": 1}', "Root=1-0-0")
                refused = await functions.invoke("Absent", b"{}", "Root=1-0-0")
            finally:
                await functions.stop()
        found = json.loads(answer.payload)
        assert (found["event"], found["level"]) == ({"a": 1}, "DEBUG")
        assert refused.is_error
        assert "Its image absent is not here" in (tmp_path / "log").read_text()

    run(tmp_path, scenario)


def test_a_shell_line_writes_into_the_image_and_nowhere_else(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    lines = f"""RUN mkdir -p {outside} && echo written >{outside}/file && echo 1 >/opt/one; cd /opt && pwd >here \\
        && python -c "import sys; print(sys.version_info[1])" >minor && ! echo x >{WRITTEN}
RUN ["sh", "-c", "echo $LEVEL >level"]
"""
    dockerfile = FROM + "ENV LEVEL=DEBUG\n" + lines

    async def scenario(engine: Engine) -> None:
        if not shell_command.is_possible():
            with pytest.raises(ValueError, match=r"RUN in line 3 .* needs a mount namespace"):
                await engine.build(BuildRequest("shop", context(dockerfile)), None, lambda _: None)
            return
        image = await engine.build(BuildRequest("shop", context(dockerfile)), None, lambda _: None)
        assert image is not None
        assert image.root is not None
        assert not any(path.exists() for path in (outside, WRITTEN))
        found = {name: (image.root / "opt" / name).read_text() for name in ("one", "here", "minor")}
        minor = find_interpreter(image.runtime).version.removeprefix("3.")
        assert found == {"one": "1\n", "here": "/opt\n", "minor": f"{minor}\n"}
        assert (image.root / "var/task/level").read_text() == "DEBUG\n"
        assert (image.root / str(outside).lstrip("/") / "file").read_text() == "written\n"
        assert not any((image.root / name).exists() for name in ("lib64", "dev", "proc")), "what was mounted is gone"

    run(tmp_path, scenario)


def test_a_line_that_fails_says_what_it_said(tmp_path: Path) -> None:
    async def scenario(engine: Engine) -> None:
        request = BuildRequest("shop", context(FROM + "RUN pip install --no-index -r no-such-file"))
        with pytest.raises(ValueError, match=r"RUN in line 2 .* ended with status 1: .*no-such-file"):
            await engine.build(request, None, lambda _: None)
        assert os.listdir(tmp_path / "images" / "builds") == []  # noqa: PTH208

    run(tmp_path, scenario)
