"""A checkout whose template has one function and whose only backing service beside AWS is Redis.

It runs with the Makefile, the tools and the emulator of this repository and starts every kind of process that the shop
starts, in half the time. For tests of what runs, not of the shop.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from sam_template.repository import REPOSITORY

LINKED = (
    *(".local", ".venv", "Makefile", "emulator", "pyproject.toml", "sam_template", "tools", "uv.lock"),
    *("inventory_function", "shopbot_function"),  # their requirements: the Makefile compares the times
)
FILES = {
    "template.yaml": """
Transform: AWS::Serverless-2016-10-31
Parameters:
  RedisHost: {Type: String, Default: ""}
  RedisPort: {Type: String, Default: ""}
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: hello/
      Handler: app.handler
      Runtime: python3.13
      Timeout: 10
      Environment: {Variables: {REDIS: !Sub "${RedisHost}:${RedisPort}"}}
      Events:
        Root: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /, Method: GET}}
""",
    "samconfig.toml": """
version = 0.1

[default.local_start_api.parameters]
skip_pull_image = true
warm_containers = "EAGER"
no_watch = true
""",
    "emulator.toml": """
stack_name = "small"
build_command = "make build"
install_folder = ".local"

[backing_services.redis.parameters]
RedisHost = "host"
RedisPort = "port"
""",
    "hello/app.py": """
import os

def handler(event, context):
    return {"statusCode": 200, "body": os.environ["REDIS"]}
""",
}


def make_small_checkout(folder: Path) -> Path:
    """Write it into `folder`, build it and return it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    for name in LINKED:
        (folder / name).symlink_to(REPOSITORY / name)
    done = subprocess.run(["make", "build"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder
