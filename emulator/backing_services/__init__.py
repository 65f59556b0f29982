"""What functions need beside AWS: Redis, Elasticsearch and Claude, or fakes for them, and their faults."""

from emulator.backing_services.services import BackingServices

__all__ = ["BackingServices"]
