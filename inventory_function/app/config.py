"""What the environment tells the function; template.yaml declares each variable."""

import os
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of the resources that the function may touch."""

    table_name: str
    s3_bucket: str
    secrets_manager_secret: str


@cache
def settings() -> Settings:
    """Return the settings, read once per execution environment.

    Raises KeyError naming the variable when one is not set; GET / works without any of them.
    """
    return Settings(
        table_name=os.environ["TABLE_NAME"],
        s3_bucket=os.environ["S3_BUCKET"],
        secrets_manager_secret=os.environ["SECRETS_MANAGER_SECRET"],
    )


def is_api_key_required() -> bool:
    """Tell whether writes need the API key. Only an explicit "false" turns the check off, so a typo fails closed."""
    return os.environ.get("REQUIRE_API_KEY", "true").strip().lower() != "false"
