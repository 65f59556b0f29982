"""An older commit is never deployed over a newer one by mistake."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline import commits
from pipeline.commits import package_commit, require_not_older
from pipeline.stages import DeploymentError


def git(*arguments: str) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=n@shop.example", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A repository, in which the test runs, with three commits of main and one of another branch."""
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch", "main")
    made = []
    for message in ("one", "two", "three"):
        git("commit", "--quiet", "--allow-empty", "--message", message)
        made.append(git("rev-parse", "HEAD"))
    git("checkout", "--quiet", "-b", "other", made[0])
    git("commit", "--quiet", "--allow-empty", "--message", "four")
    return [*made, git("rev-parse", "HEAD")]


def test_a_newer_commit_the_same_and_one_of_another_branch_may_follow(history: list[str]) -> None:
    one, two, three, other = history
    for new, deployed in ((two, one), (three, one), (two, two), (other, three), (one, "")):
        require_not_older(new, deployed)


def test_an_older_commit_is_refused_with_what_to_do(history: list[str]) -> None:
    with pytest.raises(DeploymentError, match=f"the newer {history[2][:12]} is deployed: .* OLDER=yes"):
        require_not_older(history[0], history[2])


@pytest.mark.parametrize("unknown", ["0" * 40, ""])
def test_a_history_that_does_not_tell_is_no_permission(history: list[str], unknown: str) -> None:
    with pytest.raises(DeploymentError, match="fetch the whole history"):
        require_not_older(unknown, history[0])
    with pytest.raises(DeploymentError, match="fetch the whole history"):
        require_not_older(history[0], "0" * 40)


def test_the_commit_of_a_package_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "COMMIT", tmp_path / "commit")
    assert package_commit() == ""
    commits.COMMIT.write_text("c0ffee\n")
    assert package_commit() == "c0ffee"
