"""The container engine that is installed (Docker, Finch, Podman), for `ENGINE=docker`."""

from __future__ import annotations

import sys

from emulator.errors import EmulatorError
from emulator.processes.ports import LOOPBACK, Network

HOST_IN_CONTAINERS = "host.docker.internal"
"""Under this name Docker Desktop, Finch and Podman machines reach what listens on this machine's loopback interface."""


def container_network() -> Network:
    """Return the network of the engine that `DOCKER_HOST` or the default socket names.

    On Linux containers reach this machine only at the address of their bridge, so backing services listen there;
    elsewhere the engine lives in a virtual machine that forwards to the loopback interface. Raises `EmulatorError`
    when no engine answers.
    """
    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=5)
        client.ping()
    except DockerException as error:
        raise EmulatorError(
            "ENGINE=docker needs a container engine that answers: start Docker, Finch or Podman, "
            "or leave ENGINE away to run functions as processes."
        ) from error
    if sys.platform != "linux":
        return Network(LOOPBACK, HOST_IN_CONTAINERS)
    try:
        gateway = client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
    except (DockerException, LookupError, TypeError) as error:
        raise EmulatorError(
            "ENGINE=docker needs the engine's network `bridge`, and it tells no gateway: "
            "leave ENGINE away to run functions as processes."
        ) from error
    return Network(gateway, gateway)
