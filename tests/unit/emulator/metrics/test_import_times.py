import subprocess
import sys

import pytest

from emulator.metrics import import_times
from emulator.metrics.import_times import Import, PackageTime

OUTPUT = """\
import time: self [us] | cumulative | imported package
import time:       100 |        100 |   shop.prices
what the function itself prints
import time:       300 |        300 |     rates.table
import time:       200 |        500 |   rates
import time:      1000 |       1600 | shop
import time:        50 |         50 | rates.cache
import time: this is no line of it
"""


def test_a_module_has_the_modules_that_it_imported() -> None:
    shop, cache = import_times.read(OUTPUT.splitlines())
    assert (shop.module, shop.own_ms, shop.total_ms) == ("shop", 1.0, 1.6)
    assert [child.module for child in shop.children] == ["shop.prices", "rates"]
    assert shop.children[1].children == (Import("rates.table", 0.3, 0.3),)
    assert cache == Import("rates.cache", 0.05, 0.05)


def test_a_package_is_counted_once_the_heaviest_first() -> None:
    shop, rates = import_times.packages(import_times.read(OUTPUT.splitlines()))
    assert (shop.package, rates.package) == ("shop", "rates")
    assert [shop.own_ms, shop.total_ms] == pytest.approx([1.1, 1.6])
    assert [rates.own_ms, rates.total_ms] == pytest.approx([0.55, 0.55])


def test_a_package_takes_at_least_the_time_of_its_own_modules() -> None:
    """Python rounds each line up: the own times of 31 and 31 are a total of 61."""
    lines = ["import time:        31 |         31 |   rates.table", "import time:        31 |         61 | rates"]
    (rates,) = import_times.packages(import_times.read(lines))
    assert rates.total_ms == rates.own_ms == pytest.approx(0.062)


def test_no_line_is_no_import() -> None:
    assert import_times.read(["", "import time: "]) == []
    assert import_times.packages([]) == []


def test_what_python_writes_is_read_whole() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", "import email.message"],
        env={import_times.VARIABLE: "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert import_times.read(done.stderr.splitlines()) == []  # -I: the variable is not read
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-I", "-c", "import email.message"],
        capture_output=True,
        text=True,
        check=True,
    )
    imports = import_times.read(done.stderr.splitlines())
    assert [each.module for each in imports][-1] == "email.message"
    whole = [line for line in done.stderr.splitlines() if "|" in line and "cumulative" not in line]
    assert _count(imports) == len(whole)
    assert isinstance(import_times.packages(imports)[0], PackageTime)


def _count(imports: list[Import]) -> int:
    return sum(1 + _count(list(each.children)) for each in imports)
