"""Runs a command beside private database servers: ``python -m tools.beside postgresql mariadb -- COMMAND...``

The command finds them through environment variables (BOLT_TEST_PG, BOLT_TEST_MARIADB). They are stopped whatever
happens: when the command ends, on SIGTERM and SIGINT, and by the kernel when this process dies of anything else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import FrameType

from tools import mariadb_server, pg_cluster
from tools.private_server import ServerError

_SERVERS: dict[str, tuple[str, Callable[[], AbstractContextManager[str]]]] = {
    "postgresql": (pg_cluster.ENVIRONMENT_NAME, pg_cluster.cluster),
    "mariadb": (mariadb_server.ENVIRONMENT_NAME, mariadb_server.server),
}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The command's exit code; SIGTERM and SIGINT are passed on to it."""
    with subprocess.Popen(command, env=os.environ | environment) as child:

        def forward(number: int, frame: FrameType | None) -> None:
            child.send_signal(number)

        signal.signal(signal.SIGTERM, forward)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to the command itself
        code = child.wait()
        return code if code >= 0 else 128 - code


def main(arguments: Sequence[str]) -> int:
    """Start the servers, run the command; returns its exit code, 1 when a server fails, 2 for a usage error."""
    index = arguments.index("--") if "--" in arguments else len(arguments)
    names, command = arguments[:index], arguments[index + 1 :]
    if not command or not set(names) <= _SERVERS.keys():
        print(f"usage: python -m tools.beside [{' | '.join(_SERVERS)}]... -- COMMAND...", file=sys.stderr)
        return 2
    # Until the command runs, a signal must unwind the servers rather than end us on the spot.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        with contextlib.ExitStack() as stack:
            environment = {}
            for name in names:
                variable, server = _SERVERS[name]
                environment[variable] = stack.enter_context(server())
            return _run(command, environment)
    except ServerError as exc:
        print(f"beside: {exc}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
