"""The measurement: every peer of a case is up at the same time and takes its turn under load, round after round.

A case is a scenario on a database (or none). Only one of its servers is loaded at any moment; turns go round robin, so
a slow minute of the machine hits every peer alike. Answers are checked before the first turn and after the last one.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import load, machine
from bench.databases import CACHE, Database
from bench.peers import APPS, HOST, Launch, Peer
from bench.process import Server, ServerError, free_port
from bench.scenarios import Scenario

_LOG_BYTES_PER_REQUEST_MAX = 1
_TIMEOUT_SECONDS = 20


@dataclass(frozen=True)
class Plan:
    """How long and where to measure."""

    rounds: int
    seconds: int
    warmup_seconds: int
    server_core: int
    client_core: int


@dataclass(frozen=True)
class Turn:
    """One peer under load for a few seconds."""

    load: load.Load
    cpu_seconds: float
    foreign_seconds: float
    """Time that others used on the server's core, and that the hypervisor withheld from it."""

    @property
    def requests_per_cpu_second(self) -> float:
        return self.load.requests / self.cpu_seconds if self.cpu_seconds > 0 else 0.0

    @property
    def foreign_share(self) -> float:
        return self.foreign_seconds / self.load.seconds


@dataclass
class Result:
    """All turns of one peer in one case."""

    peer: Peer
    turns: list[Turn] = field(default_factory=list)
    resident_bytes: int = 0
    processes: int = 0
    connections: int | None = None
    """Connections to the database at the end, where they can be counted."""
    failure: str | None = None
    """Why there are no figures."""

    @property
    def speeds(self) -> list[float]:
        """Requests per CPU-second of each turn."""
        return [turn.requests_per_cpu_second for turn in self.turns]

    @property
    def median_speed(self) -> float:
        return statistics.median(self.speeds)

    @property
    def errors(self) -> int:
        return sum(turn.load.errors for turn in self.turns)


@dataclass(frozen=True)
class Case:
    """One scenario on one database and what the peers did there."""

    scenario: Scenario
    database: str | None
    results: Sequence[Result]

    @property
    def title(self) -> str:
        return f"{self.scenario.title}, {self.database}" if self.database else self.scenario.title


def run_case(scenario: Scenario, database: Database | None, peers: Mapping[Peer, Path], plan: Plan) -> Case:
    """Measures every peer that answers the scenario; a peer that fails is reported and left out of the rest."""
    name = database.name if database else None
    results = [Result(peer) for peer in peers if peer.answers(scenario, name)]
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for result in results:
            try:
                servers[result.peer.name] = _start(stack, result.peer, peers[result.peer], scenario, database, plan)
                check(scenario, servers[result.peer.name].port)
                load.run(scenario, servers[result.peer.name].port, plan.warmup_seconds, plan.client_core)
            except ServerError as error:
                result.failure = _describe(result.peer, error)
        for _ in range(plan.rounds):
            for result in results:
                if result.failure is None:
                    _take_turn(result, servers[result.peer.name], scenario, database, plan)
        for result in results:
            if result.failure is None:
                _finish(result, servers[result.peer.name], scenario, database)
    return Case(scenario, name, results)


def start_server(
    peer: Peer,
    program: Path,
    scenario: Scenario,
    database: Database | None,
    core: int,
    wrapper: Sequence[str] = (),
) -> Server:
    """A running server of the peer, its command prefixed by `wrapper`; the caller stops it.

    Raises ServerError when it does not come up; nothing is left running then.
    """
    answer_file = CACHE / "answers" / scenario.name
    answer_file.parent.mkdir(parents=True, exist_ok=True)
    answer_file.write_bytes(scenario.fixed_answer or b"")
    log = CACHE / "logs" / f"{peer.name}-{os.getpid()}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [*wrapper, *peer.command(Launch(program, port, answer_file))]
    server = Server(command, core=core, port=port, log=log)
    environment = {**os.environ, "PYTHONPATH": str(APPS), **(peer.environment or {})}
    environment |= database.environment(peer.name) if database else {"BENCH_SQLITE_PATH": ":memory:"}
    try:
        server.start(peer.directory, environment)
    except ServerError as error:
        server.stop()
        raise ServerError(f"{error}\n{_log_tail(peer, log)}") from error
    return server


def _start(
    stack: ExitStack, peer: Peer, program: Path, scenario: Scenario, database: Database | None, plan: Plan
) -> Server:
    return stack.enter_context(start_server(peer, program, scenario, database, plan.server_core))


def _log_tail(peer: Peer, log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return "\n".join(lines[-1:] if peer.black_box else lines[-15:])


def _describe(peer: Peer, error: Exception) -> str:
    text = str(error)
    return text.splitlines()[0] if peer.black_box and text else text


def check(scenario: Scenario, port: int) -> None:
    """Raises ServerError unless the server gives the right answer, as JSON, with status 200."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_TIMEOUT_SECONDS)
    headers = {} if scenario.body is None else {"Content-Type": "application/json"}
    try:
        connection.request(scenario.method, scenario.target, scenario.body, headers)
        response = connection.getresponse()
        content = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"no answer: {error!r}") from error
    finally:
        connection.close()
    kind = response.headers.get_content_type()
    if response.status != 200 or kind != "application/json":
        raise ServerError(f"answered {response.status} {kind}: {content[:200]!r}")
    try:
        value = json.loads(content)
    except ValueError as error:
        raise ServerError(f"answered no JSON: {content[:200]!r}") from error
    if not scenario.check(value):
        raise ServerError(f"answered wrongly: {content[:200]!r}")


def _take_turn(result: Result, server: Server, scenario: Scenario, database: Database | None, plan: Plan) -> None:
    """One measured run; a server that dies or starts to log is taken out."""
    if database is not None and scenario.writes:
        database.reset(result.peer.name)
    try:
        log_bytes = server.log_bytes()
        core_before, cpu_before = machine.core_times(plan.server_core), server.cpu_seconds()
        done = load.run(scenario, server.port, plan.seconds, plan.client_core)
        core_after, cpu_after = machine.core_times(plan.server_core), server.cpu_seconds()
        if server.log_bytes() - log_bytes > _LOG_BYTES_PER_REQUEST_MAX * max(done.requests, 1000):
            raise ServerError("it writes a log line per request; a fair run has none")
    except ServerError as error:
        result.failure = _describe(result.peer, error)
        return
    cpu = cpu_after - cpu_before
    busy = core_after.busy - core_before.busy
    stolen = core_after.stolen - core_before.stolen
    result.turns.append(Turn(done, cpu, max(0.0, busy - cpu) + stolen))


def _finish(result: Result, server: Server, scenario: Scenario, database: Database | None) -> None:
    """Reads what is known only after the load."""
    try:
        result.resident_bytes = server.resident_bytes()
        result.processes = len(server.pids())
        result.connections = database.connections(result.peer.name) if database else None
        check(scenario, server.port)
    except ServerError as error:
        result.failure = _describe(result.peer, error)
