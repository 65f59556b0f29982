"""Redis: the real server when it is installed, else an embedded one."""

from emulator.backing_services.redis.redis import EMBEDDED, SERVER_VARIABLE, Redis, RedisError

__all__ = ["EMBEDDED", "SERVER_VARIABLE", "Redis", "RedisError"]
