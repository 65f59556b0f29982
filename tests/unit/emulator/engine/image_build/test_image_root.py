"""What is copied into an image, and that no path leads out of it."""

import tarfile
from pathlib import Path

import pytest

from emulator.engine.image_build.image_root import ImageRoot, OutsideError, select


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    (folder / "app" / "inner").mkdir(parents=True)
    for name in ("app/one.py", "app/two.py", "app/inner/.hidden", "top.txt"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> ImageRoot:
    root = ImageRoot(tmp_path / "root")
    root.prepare()
    return root


def test_the_content_of_a_folder_is_copied_and_a_file_into_a_folder(context: Path, root: ImageRoot) -> None:
    root.copy(select(context, "app"), "/var/task/package", into_folder=False)
    root.copy(select(context, "top.txt"), "/var/task", into_folder=False)
    root.copy(select(context, "top.txt"), "/opt/renamed", into_folder=False)
    root.copy(select(context, "app/*.py"), "/data/", into_folder=True)
    assert set(root.files()) == {
        *("/var/task/package/one.py", "/var/task/package/two.py", "/var/task/package/inner/.hidden"),
        *("/var/task/top.txt", "/opt/renamed", "/data/one.py", "/data/two.py"),
    }


@pytest.mark.parametrize("pattern", ["../secret", "app/../../secret", "nothing", "*.none"])
def test_a_source_is_in_the_context_and_there(context: Path, pattern: str) -> None:
    (context.parent / "secret").write_text("x")
    with pytest.raises((OutsideError, FileNotFoundError)):
        select(context, pattern)


def test_a_link_out_of_the_context_is_not_followed(context: Path) -> None:
    (context.parent / "secret").write_text("x")
    (context / "link").symlink_to("../secret")
    with pytest.raises(OutsideError):
        select(context, "link")


def test_a_link_in_the_image_does_not_lead_what_is_copied_out_of_it(context: Path, root: ImageRoot) -> None:
    (root.folder / "out").symlink_to("../..")
    with pytest.raises(OutsideError):
        root.copy(select(context, "top.txt"), "/out/", into_folder=True)
    assert not (root.folder.parent.parent / "top.txt").exists()


def test_an_archive_is_unpacked_without_what_leads_out_of_it(context: Path, root: ImageRoot) -> None:
    (context / "inside").symlink_to("top.txt")
    (context / "outside").symlink_to("/etc/passwd")
    archive = context.parent / "packed.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(context, ".")
    root.extract(archive, "/opt/data")
    assert (root.folder / "opt/data/inside").read_text() == "top.txt"
    assert not (root.folder / "opt/data/outside").is_symlink()
