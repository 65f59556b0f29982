from __future__ import annotations

import sys

import pytest
import run


@pytest.mark.parametrize("server", ["gunicorn", "hypercorn"])
def test_both_servers_serve_the_application(server: str) -> None:
    line = run.command(server, "127.0.0.1", 8000, 2)

    assert line[:3] == [sys.executable, "-m", server]
    assert line[line.index("--bind") + 1] == "127.0.0.1:8000"
    assert line[-1] in {"shopping_bot:create_app()", "run:application"}
    assert "[::1]:8000" in run.command(server, "::1", 8000, 2)


def test_an_unknown_server_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["apache"])
    assert "gunicorn" in capsys.readouterr().err
