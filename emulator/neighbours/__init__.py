"""What the shop needs beside AWS: Redis, Elasticsearch and Claude, or stand-ins for them, and their faults."""

from emulator.neighbours.neighbours import Neighbours

__all__ = ["Neighbours"]
