"""Settings of the application, from the environment; template.yaml declares each variable."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping


class ConfigurationError(Exception):
    """A setting cannot be used; the message names its variable."""


class Config:
    """What every environment shares. A setting that is missing is noticed by what needs it, not before."""

    DEBUG = False
    INSTANCE_PATH: str | None = None
    CONVERSATION_TTL_SECONDS = 3600

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.TABLE_NAME = environment.get("TABLE_NAME", "")
        self.SECRETS_MANAGER_SECRET = environment.get("SECRETS_MANAGER_SECRET", "")
        self.REDIS_HOST = environment.get("REDIS_HOST", "")
        self.REDIS_PORT = _integer(environment, "REDIS_PORT", 6379, 65_535)
        # Without a word TLS stays on, so that a typo does not send a password in the clear.
        self.REDIS_TLS = _boolean(environment, "REDIS_TLS", "true")
        self.REDIS_CLUSTER = _boolean(environment, "REDIS_CLUSTER", "false")
        ttl = self.CONVERSATION_TTL_SECONDS
        self.CONVERSATION_TTL_SECONDS = _integer(environment, "CONVERSATION_TTL_SECONDS", ttl, 30 * 86_400)
        self.ES_URL = environment.get("ES_URL", "").rstrip("/")
        self.ES_INDEX = environment.get("ES_INDEX", "")
        self.ANTHROPIC_BASE_URL = environment.get("ANTHROPIC_BASE_URL", "").rstrip("/")
        self.CLAUDE_MODEL = environment.get("CLAUDE_MODEL", "")


class DevelopmentConfig(Config):
    """For `run.py` on a developer's machine."""

    DEBUG = True


class ProductionConfig(Config):
    """For a server: conversations are forgotten sooner."""

    CONVERSATION_TTL_SECONDS = 900


class LambdaConfig(ProductionConfig):
    """For Lambda, where only the temp dir can be written."""

    INSTANCE_PATH = tempfile.gettempdir()


_CONFIGURATIONS: Mapping[str, type[Config]] = {
    "development": DevelopmentConfig,
    "production": ProductionConfig,
    "lambda": LambdaConfig,
}


def get_config(name: str | None = None, environment: Mapping[str, str] = os.environ) -> Config:
    """Return the configuration `name`; without one that of APP_ENV or FLASK_ENV, else that of where this runs.

    Raises ConfigurationError naming the variable that cannot be used.
    """
    given = name or environment.get("APP_ENV") or environment.get("FLASK_ENV")
    if not given:
        given = "lambda" if environment.get("AWS_LAMBDA_FUNCTION_NAME") else "development"
    if given not in _CONFIGURATIONS:
        raise ConfigurationError(f"APP_ENV (or FLASK_ENV) must be one of {', '.join(_CONFIGURATIONS)}.")
    return _CONFIGURATIONS[given](environment)


def _integer(environment: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= maximum):
        raise ConfigurationError(f"{name} must be a whole number from 1 to {maximum}.")
    return int(text)


def _boolean(environment: Mapping[str, str], name: str, default: str) -> bool:
    text = environment.get(name, default).strip().lower()
    if text not in {"true", "false"}:
        raise ConfigurationError(f'{name} must be "true" or "false".')
    return text == "true"
