"""The check of a deployment, against the shop as a developer runs it."""

from __future__ import annotations

import subprocess

import httpx

from sam_template.repository import REPOSITORY
from tests.e2e.conftest import Started


def test_the_local_shop_passes_and_nothing_is_left_in_it(shop: Started, client: httpx.Client) -> None:
    smoke = subprocess.run(
        ["make", "--no-print-directory", "smoke", f"URL={shop.url}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert smoke.returncode == 0, smoke.stdout + smoke.stderr
    lines = smoke.stdout.splitlines()
    assert len(lines) == 12
    assert all(line.startswith("ok ") for line in lines[:-1]), smoke.stdout
    assert "every check passed" in lines[-1]
    page = client.get("/inventory", params={"limit": "100"}).json()
    assert not [item["sku"] for item in page["items"] if item["sku"].startswith("SMOKE-")]
