from __future__ import annotations

from typing import Any

import pytest
from app.api_key import check

from lambda_http.json_secret import LIFETIME_SECONDS, REFETCH_SECONDS, JsonSecret, MalformedSecretError
from lambda_http.problem import Problem
from sam_template.repository import REPOSITORY


class Secret:
    """Counts how often it is read; `key` is an exception when it cannot be."""

    def __init__(self) -> None:
        self.key: Any = "right"
        self.reads = 0
        self.time = 1000.0
        self.cached = JsonSecret(self.read, lambda _: None, clock=lambda: self.time)

    def read(self) -> dict[str, Any]:
        self.reads += 1
        if isinstance(self.key, Exception):
            raise self.key
        return {"INVENTORY_API_KEY": self.key}

    def refusal(self, given: str | None) -> Problem | None:
        try:
            check(given, self.cached)
        except Problem as problem:
            return problem
        return None

    def status(self, given: str | None) -> int:
        refusal = self.refusal(given)
        return refusal.status if refusal else 200


@pytest.fixture
def secret() -> Secret:
    return Secret()


def test_only_the_key_passes(secret: Secret) -> None:
    given: list[Any] = ["right", "wrong", "righ", "rightt", "", None, "é", "\ud800"]

    assert [secret.status(key) for key in given] == [200] + [401] * 7
    refusal = secret.refusal("wrong")
    assert refusal is not None
    assert refusal.headers == {"WWW-Authenticate": 'ApiKey realm="inventory"'}


def test_the_key_is_read_once_in_its_lifetime(secret: Secret) -> None:
    for _ in range(5):
        assert secret.status("right") == 200
    secret.time += LIFETIME_SECONDS
    assert secret.status("right") == 200
    assert secret.reads == 2


def test_a_flood_of_wrong_keys_costs_few_reads(secret: Secret) -> None:
    for _ in range(1000):
        assert secret.status("wrong") == 401
        secret.time += 0.06

    assert secret.reads <= 60 / REFETCH_SECONDS + 1


def test_a_rotated_key_passes_at_once(secret: Secret) -> None:
    secret.status("right")
    secret.key = "new"

    assert [secret.status(key) for key in ("new", "right")] == [200, 401]


def test_a_rotated_key_is_refused_for_no_longer_than_the_runbook_says(secret: Secret) -> None:
    secret.status("right")
    secret.status("wrong")  # the secret was just read for it
    secret.key = "new"

    assert secret.status("new") == 401
    secret.time += REFETCH_SECONDS
    assert secret.status("new") == 200
    assert f"is refused for at most {REFETCH_SECONDS:.0f} s" in rotation()


def test_the_key_before_is_accepted_for_no_longer_than_the_runbook_says(secret: Secret) -> None:
    secret.status("right")
    secret.key = "new"
    secret.time += LIFETIME_SECONDS - 1

    assert secret.status("right") == 200
    secret.time += 1
    assert secret.status("right") == 401
    assert f"is accepted for at most {LIFETIME_SECONDS / 60:.0f} minutes" in rotation()


def rotation() -> str:
    """Return the row about the key in the runbook's table."""
    runbook = (REPOSITORY / "docs/RUNBOOK.md").read_text()
    return next(line for line in runbook.splitlines() if line.startswith("| `INVENTORY_API_KEY` |"))


def test_a_key_in_the_secret_with_white_space_around_it_lets_its_clients_in(secret: Secret) -> None:
    secret.key = " right\n"
    assert secret.status("right") == 200


@pytest.mark.parametrize(
    ("key", "reason", "retry"),
    [
        (RuntimeError("s3cr3t"), "cannot be read", "1"),
        (MalformedSecretError(), "is not a JSON object of texts", None),
        ("", "is not set", None),
        (5, "is not a text", None),
        ("\u201cright\u201d", "no HTTP header can carry", None),
        ("\ud800", "surrogate", None),
    ],
)
def test_without_a_usable_key_the_answer_says_why_and_names_it(
    secret: Secret, key: Any, reason: str, retry: str | None
) -> None:
    secret.key = key

    for _ in range(20):
        refusal = secret.refusal("right")
        assert refusal is not None
        assert (refusal.status, refusal.headers.get("Retry-After")) == (503, retry)
        assert refusal.detail.startswith("No write is possible now: INVENTORY_API_KEY")
        assert reason in refusal.detail
        assert "s3cr3t" not in refusal.detail
    assert secret.reads == 1


def test_the_last_key_stays_good_while_the_secret_is_away(secret: Secret) -> None:
    secret.status("right")
    secret.key = TimeoutError()
    secret.time += 2 * LIFETIME_SECONDS

    assert [secret.status(key) for key in ("right", "wrong")] == [200, 401]
