from __future__ import annotations

import tempfile

import pytest
from shopping_bot.config import (
    ConfigurationError,
    DevelopmentConfig,
    LambdaConfig,
    ProductionConfig,
    get_config,
)


@pytest.mark.parametrize(
    ("name", "environment", "kind"),
    [
        ("lambda", {"APP_ENV": "development"}, LambdaConfig),
        (None, {"APP_ENV": "production"}, ProductionConfig),
        (None, {"APP_ENV": "lambda"}, LambdaConfig),
        (None, {"FLASK_ENV": "lambda"}, LambdaConfig),
        (None, {"APP_ENV": "production", "FLASK_ENV": "lambda"}, ProductionConfig),
        (None, {"AWS_LAMBDA_FUNCTION_NAME": "shopbot"}, LambdaConfig),
        (None, {}, DevelopmentConfig),
    ],
)
def test_which_configuration(name: str | None, environment: dict[str, str], kind: type) -> None:
    assert type(get_config(name, environment)) is kind


def test_only_lambda_has_a_fixed_instance_path() -> None:
    assert issubclass(LambdaConfig, ProductionConfig)
    assert tempfile.gettempdir() == LambdaConfig.INSTANCE_PATH
    assert ProductionConfig.INSTANCE_PATH is None


def test_conversations_live_as_long_as_the_stage_says() -> None:
    assert get_config("development", {}).CONVERSATION_TTL_SECONDS == 3600
    assert get_config("lambda", {}).CONVERSATION_TTL_SECONDS == 900
    assert get_config("lambda", {"CONVERSATION_TTL_SECONDS": "3600"}).CONVERSATION_TTL_SECONDS == 3600


def test_settings_are_taken_from_the_environment() -> None:
    config = get_config("lambda", {"ES_URL": "http://es:9200/", "REDIS_PORT": "6380", "REDIS_TLS": "False"})

    assert (config.ES_URL, config.REDIS_PORT, config.REDIS_TLS, config.TABLE_NAME) == (
        "http://es:9200",
        6380,
        False,
        "",
    )
    assert get_config("lambda", {}).REDIS_TLS
    assert get_config("lambda", {"REDIS_CLUSTER": "true"}).REDIS_CLUSTER
    assert not get_config("lambda", {}).REDIS_CLUSTER


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_PORT", "0"),
        ("REDIS_PORT", "x"),
        ("REDIS_PORT", "70000"),
        ("CONVERSATION_TTL_SECONDS", "-1"),
        ("REDIS_TLS", "yes"),
        ("REDIS_CLUSTER", "1"),
        ("APP_ENV", "prod"),
        ("FLASK_ENV", "prod"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        get_config(None, {name: value})
