"""A backing service that can go away and come back."""

from __future__ import annotations

import contextlib
import socket
import threading


class Proxy:
    """Passes connections on to `target`; drops them all when told to, and takes none while `is_down`.

    While it `swallows_answers`, the server does what it is asked, and nobody hears of it.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port: int = self._server.getsockname()[1]
        self.is_down = False
        self.swallows_answers = False
        self._swallows_next = False

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self.drop()

    def drop(self) -> None:
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._open.clear()

    def swallow_next_answer(self) -> None:
        """Let nobody hear the next answer."""
        self._swallows_next = True

    def stop(self) -> None:
        self.is_down = True
        self.drop()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.is_down:
                    client.close()
                    continue
                target = socket.create_connection(self.target)
                self._open += [client, target]
                for source, sink in ((client, target), (target, client)):
                    arguments = (source, sink, source is target)
                    threading.Thread(target=self._pass, args=arguments, daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65_536):
                if is_answer and (self.swallows_answers or self._swallows_next):
                    self._swallows_next = False
                else:
                    sink.sendall(chunk)
