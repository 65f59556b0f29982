"""The models of AWS services: read once from botocore, then from a file that is never stale and may be damaged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import botocore.loaders
import pytest
from botocore.exceptions import UnknownServiceError

from emulator.aws import service_models
from emulator.aws.service_models import ServiceModels


def written_by(service: str, type_name: str = "service-2") -> Any:
    return botocore.loaders.Loader().load_service_model(service, type_name)


def without_documentation(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: without_documentation(one)
            for name, one in value.items()
            if not (name == "documentation" and isinstance(one, str))
        }
    return [without_documentation(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("service", ["s3", "secretsmanager"])
def test_a_model_is_botocores_but_for_what_people_read(service: str, tmp_path: Path) -> None:
    expected = written_by(service)
    for _ in ("read from botocore", "kept"):
        model = ServiceModels(tmp_path).load_service_model(service, "service-2")
        assert without_documentation(model) == without_documentation(expected)
        assert "documentation" not in model["operations"].popitem()[1]
    # botocore asks for these.
    assert model.get("clientContextParams") == expected.get("clientContextParams")


def test_what_is_no_service_is_whole(tmp_path: Path) -> None:
    for _ in ("read from botocore", "kept"):
        models = ServiceModels(tmp_path)
        assert models.load_service_model("s3", "endpoint-rule-set-1") == written_by("s3", "endpoint-rule-set-1")
        assert models.load_data("partitions") == botocore.loaders.Loader().load_data("partitions")


def test_what_is_kept_is_read_and_not_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ServiceModels(tmp_path).preload("sts")
    monkeypatch.setattr(botocore.loaders.JSONFileLoader, "load_file", lambda *_: pytest.fail("read again"))
    ServiceModels(tmp_path).preload("sts")


def test_a_service_that_does_not_exist_is_refused_in_botocores_words(tmp_path: Path) -> None:
    with pytest.raises(UnknownServiceError, match=r"Unknown service: 'bees'. Valid service names are: .*\bdynamodb\b"):
        ServiceModels(tmp_path).load_service_model("bees", "service-2")


def model_in(folder: Path, text: str) -> Path:
    file = folder / "service-2.json"
    file.write_text(text)
    return file.with_suffix("")


def test_a_model_that_changed_is_read_again(tmp_path: Path) -> None:
    loader = service_models._KeptFiles(tmp_path / "kept")
    model = model_in(tmp_path, '{"metadata": {"apiVersion": "1"}}')
    assert loader.load_file(str(model)) == {"metadata": {"apiVersion": "1"}}
    stat = model.with_suffix(".json").stat()
    model_in(tmp_path, '{"metadata": {"apiVersion": "2"}}')
    os.utime(f"{model}.json", ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert loader.load_file(str(model)) == {"metadata": {"apiVersion": "2"}}


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, None])
def test_a_kept_file_that_is_damaged_counts_as_none(tmp_path: Path, damage: bytes | None) -> None:
    loader = service_models._KeptFiles(tmp_path / "kept")
    model = model_in(tmp_path, '{"metadata": {"apiVersion": "1"}, "shapes": {"documentation": {"type": "string"}}}')
    expected = loader.load_file(str(model))
    (kept,) = (tmp_path / "kept").iterdir()
    content = kept.read_bytes()
    kept.write_bytes(content[:-1] + bytes([content[-1] ^ 1]) if damage is None else damage)
    assert (
        loader.load_file(str(model))
        == expected
        == {
            "metadata": {"apiVersion": "1"},
            "shapes": {"documentation": {"type": "string"}},  # a shape of that name
        }
    )
    assert kept.read_bytes() == content


def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")
    loader = service_models._KeptFiles(tmp_path / "kept")
    assert loader.load_file(str(model_in(tmp_path, '{"metadata": {}}'))) == {"metadata": {}}
    assert loader.load_file(str(tmp_path / "missing")) is None


def test_old_models_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_models, "KEPT_MODELS", 2)
    loader = service_models._KeptFiles(tmp_path / "kept")
    for number in range(4):
        folder = tmp_path / str(number)
        folder.mkdir()
        loader.load_file(str(model_in(folder, f'{{"number": {number}}}')))
        for file in (tmp_path / "kept").iterdir():  # each older than the one that follows
            stat = file.stat()
            os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns - 10**9))
    assert len(list((tmp_path / "kept").iterdir())) == 2
    assert loader.load_file(str(tmp_path / "3" / "service-2")) == {"number": 3}
