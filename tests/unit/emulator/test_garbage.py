"""A start is not interrupted to look for garbage, and what follows is collected as ever."""

import subprocess
import sys


def test_garbage_is_left_during_a_start_and_collected_after_it() -> None:
    program = """
import gc
from emulator import garbage
usual = gc.get_threshold()
garbage.leave_it_during_a_start()
print(gc.isenabled(), gc.get_threshold()[0] > 10 * usual[0], gc.get_freeze_count())
garbage.collect_it_again()
print(gc.isenabled(), gc.get_threshold() == usual, gc.get_freeze_count() > 1000)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True True 0", "True True True"]
