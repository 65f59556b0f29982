"""Which commit a package was built from, and whether it is older than the one that is deployed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from pipeline.stages import DeploymentError

COMMIT: Final = Path(".aws-sam/deployment/commit")
"""Where `make package` writes the commit that it builds."""


def package_commit() -> str:
    """Return the commit that the package was built from; empty when it was built outside of a repository."""
    return COMMIT.read_text(encoding="utf-8").strip() if COMMIT.is_file() else ""


def require_not_older(new: str, deployed: str) -> None:
    """Raise DeploymentError when `new` is a commit before `deployed`, or the history here does not tell.

    Whoever approves or repeats an old run would otherwise take back what was deployed since. Commits of another branch
    are neither older nor newer, and an unknown `deployed`, which is empty, is older than all.
    """
    if not deployed or new == deployed:
        return
    answer = subprocess.run(
        ["git", "merge-base", "--is-ancestor", new, deployed], capture_output=True, text=True, check=False
    )
    if answer.returncode == 0:
        raise DeploymentError(
            f"The package is of commit {new[:12]}, and the newer {deployed[:12]} is deployed: deploy a newer commit, "
            "go back with `make rollback`, or say OLDER=yes to deploy it all the same."
        )
    if answer.returncode != 1:
        raise DeploymentError(
            f"The history here does not tell whether {deployed[:12]}, which is deployed, is older than the package's "
            f"{new[:12] or 'unknown commit'}: fetch the whole history (`git fetch --unshallow`), or say OLDER=yes to "
            "deploy it all the same."
        )
