"""The process of an execution environment: what /var/runtime/bootstrap.py is in Lambda.

Run by the function's own interpreter with nothing but the standard library: `bootstrap.py LIFELINE_FD HANDLER`.
"""

import _signal  # type: ignore[import-not-found]  # typeshed leaves it out
import _thread
import os
import signal
import sys

_SIGNALS = tuple(int(number) for number in signal.valid_signals())
_NO_HANDLERS = (_signal.SIG_DFL, _signal.SIG_IGN, signal.default_int_handler, None)


def _die_with_the_engine(lifeline: int) -> None:
    # The engine holds the other end. It closes when the engine ends, even by kill -9.
    try:
        while os.read(lifeline, 64):
            pass
    except OSError:
        pass
    os.killpg(0, signal.SIGKILL)


def _search_path() -> list[str]:
    # Lambda's order: the function's code, its own PYTHONPATH (by default the runtime's packages), the standard library.
    own = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to import
    path = [os.environ["LAMBDA_TASK_ROOT"], *(entry for entry in sys.path if entry != own)]
    runtime = os.environ["LAMBDA_RUNTIME_DIR"]
    return path if runtime in path else [*path, runtime]


def _add_builtins_of_site() -> None:
    # The interpreter runs without `site`, so that no package of this machine is importable; Lambda has its builtins.
    import site

    site.setquit()
    site.setcopyright()
    site.sethelper()


def _find_the_runtime_api() -> None:
    # The engine's address has a path that nobody else knows, and AWS_LAMBDA_RUNTIME_API is host:port as in Lambda.
    # awslambdaric takes its events with a client in C++, which reads the variable when it is imported and puts any path
    # before its own; its other calls are Python's, which make a connection of host and port.
    address, _, path = os.environ["AWS_LAMBDA_RUNTIME_API"].partition("/")

    from awslambdaric import lambda_runtime_client

    os.environ["AWS_LAMBDA_RUNTIME_API"] = address
    client = lambda_runtime_client.BaseLambdaRuntimeClient
    call = client.call_rapid

    def call_with_path(self, method, endpoint, *rest, **named):  # type: ignore[no-untyped-def]
        return call(self, method, f"/{path}{endpoint}", *rest, **named)

    client.call_rapid = call_with_path


def _poll_without_a_thread_for_each_event() -> None:
    # awslambdaric polls in a new thread each time, so that the main thread can run the function's signal handlers.
    # Where there are none, a signal does what it does by default, and the thread costs a fifth of a short invocation.
    from awslambdaric import lambda_runtime_client

    client = lambda_runtime_client.BaseLambdaRuntimeClient
    wait = client.wait_next_invocation

    def wait_next_invocation(self):  # type: ignore[no-untyped-def]
        self.use_thread_for_polling_next = self.ThreadPoolExecutor is not None and _handles_signals()
        return wait(self)

    client.ThreadPoolExecutor = None
    client.wait_next_invocation = wait_next_invocation


def _handles_signals() -> bool:
    # Asked before each event, of some sixty signals: `signal.getsignal` would make a member of an enumeration of each.
    handlers = list(map(_signal.getsignal, _SIGNALS))
    return sum(map(handlers.count, _NO_HANDLERS)) < len(handlers)


def main() -> None:
    """Run the handler until the engine ends the process."""
    lifeline, handler = int(sys.argv[1]), sys.argv[2]
    os.set_inheritable(lifeline, False)
    _thread.start_new_thread(_die_with_the_engine, (lifeline,))
    sys.path[:] = _search_path()
    _add_builtins_of_site()
    sys.argv[:] = [sys.argv[0], handler]

    _find_the_runtime_api()
    _poll_without_a_thread_for_each_event()

    from awslambdaric.__main__ import main as run

    run(sys.argv)


if __name__ == "__main__":
    main()
