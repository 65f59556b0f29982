"""API Gateway on this machine: the template's HTTP and REST APIs, straight from the engine's environments."""

from emulator.gateway.gateway import Gateway, ServedApi

__all__ = ["Gateway", "ServedApi"]
