"""Dispatch: what happens to a request whatever its handler does."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import sys
import traceback
from collections.abc import Awaitable, Generator, Sequence
from typing import Any

import pytest
from tests.python.harness import JSON_FIELDS, Application, Hooks, RawResponse, Service, run, serve, until

from django_bolt import _core
from django_bolt._plan import Kind, ParamSpec, ResultKind, ResultSpec, Source

PLAIN_500 = {"detail": "Internal Server Error"}
variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.fixture
def unraisable(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What sys.unraisablehook is told."""
    seen: list[BaseException] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: seen.append(args.exc_value))
    return seen


def query(name: str, **options: Any) -> ParamSpec:
    return ParamSpec(name, Source.QUERY, name, **options)


# ---- calling ----------------------------------------------------------------------------------


def test_arguments_by_position_and_by_keyword() -> None:
    async def main() -> None:
        app = Application()

        @app.get(
            "/{a}", ParamSpec("a", Source.PATH, "a", Kind.INT, capture=0), query("b"), query("c", keyword_only=True)
        )
        async def handler(a: int, b: str, *, c: str) -> list[Any]:
            return [a, b, c]

        async with serve(app) as service:
            assert (await service.get("/5?b=x&c=y")).json() == [5, "x", "y"]

    run(main())


@pytest.mark.parametrize("count", [0, 15, 16, 17, 40])
def test_any_number_of_arguments(count: int) -> None:
    async def main() -> None:
        app = Application()

        async def handler(*args: str) -> list[str]:
            return list(args)

        app.add("/", handler, *(query(f"p{i}") for i in range(count)))
        async with serve(app) as service:
            text = "&".join(f"p{i}=v{i}" for i in range(count))
            assert (await service.get(f"/?{text}")).json() == [f"v{i}" for i in range(count)]
            assert (await service.get("/?")).status == (500 if count else 200)

    run(main())


def test_request_argument_outlives_the_exchange() -> None:
    async def main() -> None:
        app = Application()
        kept: list[_core.Request] = []

        @app.get("/{name}", ParamSpec("request", Source.REQUEST))
        async def handler(request: _core.Request) -> str:
            kept.append(request)
            return request.path

        async with serve(app) as service:
            for name in ("a", "b", "c"):
                assert (await service.get(f"/{name}?q={name}")).content.decode() == f"/{name}"
        assert [(request.path, request.query["q"]) for request in kept] == [("/a", "a"), ("/b", "b"), ("/c", "c")]

    run(main())


class Awaiting:
    """An awaitable that is no coroutine."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, None, object]:
        yield from asyncio.sleep(0).__await__()
        return self.value


def test_handlers_that_return_awaitables() -> None:
    async def coroutine(value: str) -> str:
        await asyncio.sleep(0)
        return value

    async def main() -> None:
        app = Application()
        app.add("/partial", functools.partial(coroutine, "partial"))
        app.add("/undeclared", lambda: coroutine("undeclared"))
        app.add("/awaitable", lambda: Awaiting("awaitable"), is_async=True)
        app.add("/mistaken", lambda: "not async after all", is_async=True)
        async with serve(app) as service:
            assert (await service.get("/partial")).content == b"partial"
            assert (await service.get("/undeclared")).content == b"undeclared"
            assert (await service.get("/awaitable")).content == b"awaitable"
            assert (await service.get("/mistaken")).content == b"not async after all"

    run(main())


# ---- exceptions -------------------------------------------------------------------------------


def test_every_exception_reaches_the_hook_with_request_and_meta() -> None:
    seen: list[tuple[str, str, Any]] = []

    class Recording(Hooks):
        def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
            seen.append((repr(exc), request.path, meta))
            return 418, (("x-why", type(exc).__name__),), b"teapot"

    async def main() -> None:
        app = Application(Recording())

        @app.get("/sync")
        def sync() -> None:
            raise StopIteration(3)

        @app.get("/async")
        async def not_suspended() -> None:
            raise LookupError("x")

        @app.get("/later")
        async def later() -> None:
            await asyncio.sleep(0)
            raise GeneratorExit

        @app.get("/bind/{n}", ParamSpec("n", Source.PATH, "n", Kind.INT, capture=0))
        async def bind(n: int) -> None:
            """Never called."""

        @app.get("/encode")
        async def encode() -> dict[str, object]:
            return {"x": object()}

        async with serve(app) as service:
            for path in ("/sync", "/async", "/later", "/bind/x", "/encode"):
                response = await service.get(path)
                assert (response.status, response.content) == (418, b"teapot"), path
                assert response.headers["x-why"]
        assert [(path, meta) for _, path, meta in seen] == [
            ("/sync", sync),
            ("/async", not_suspended),
            ("/later", later),
            ("/bind/x", bind),
            ("/encode", encode),
        ]
        assert [text for text, _, _ in seen][:3] == ["StopIteration(3)", "LookupError('x')", "GeneratorExit()"]
        assert seen[4][0] == "TypeError('cannot encode object')"

    run(main())


def test_tracebacks_show_the_handler() -> None:
    async def main() -> None:
        app = Application()

        @app.get("/")
        async def guilty() -> None:
            await asyncio.sleep(0)
            raise ValueError

        async with serve(app) as service:
            await service.get("/")
        frames = traceback.extract_tb(app.hooks.exceptions[0].__traceback__)
        assert [frame.name for frame in frames] == ["guilty"]

    run(main())


@pytest.mark.parametrize(
    "answer",
    [
        None,
        (500, (), "text"),
        (99, (), b""),
        (1000, (), b""),
        (500, (("name", "value\r\nx-injected: 1"),), b""),
        (500, (("bad name", "value"),), b""),
        (500, (("name", 5),), b""),
        (500, (("name", "\u20ac"),), b""),
        (500, 5, b""),
        (500, (("only name",),), b""),
        (10**30, (), b""),
    ],
)
def test_unusable_answers_of_the_hook(answer: Any, unraisable: list[BaseException]) -> None:
    class Broken(Hooks):
        def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
            return answer  # type: ignore[no-any-return]

    async def main() -> None:
        app = Application(Broken())

        @app.get("/")
        async def handler() -> None:
            raise ValueError("original")

        async with serve(app) as service:
            client = await service.connect()
            for _ in range(2):
                response = await client.request("/")
                assert response.status == 500
                assert response.json() == PLAIN_500
                assert not {"x-injected", "name", "bad name"} & set(response.headers)
        assert len(unraisable) == 2
        assert all(repr(exc.__context__) == "ValueError('original')" for exc in unraisable)

    run(main())


def test_a_hook_that_raises(unraisable: list[BaseException]) -> None:
    class Broken(Hooks):
        def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
            raise LookupError("hook")

    async def main() -> None:
        app = Application(Broken())

        @app.get("/")
        def handler() -> None:
            raise ValueError("original")

        async with serve(app) as service:
            assert (await service.get("/")).json() == PLAIN_500
        assert [repr(exc) for exc in unraisable] == ["LookupError('hook')"]
        assert repr(unraisable[0].__context__) == "ValueError('original')"

    run(main())


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_the_hook_reaches_the_loop(kind: type[BaseException], unraisable: list[BaseException]) -> None:
    class Interrupted(Hooks):
        def handle_exception(self, exc: BaseException, request: _core.Request, meta: Any) -> RawResponse:
            raise kind

    async def main() -> None:
        app = Application(Interrupted())
        app.add("/", lambda: 1 / 0)
        async with serve(app) as service:
            contents.append((await service.get("/")).content)

    contents: list[bytes] = []
    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    with pytest.raises(kind):
        loop.run_until_complete(task)
    loop.run_until_complete(task)
    loop.close()
    assert contents == [b'{"detail":"Internal Server Error"}']
    assert unraisable == []


# ---- finalize ---------------------------------------------------------------------------------


class Finalizing(Hooks):
    """Finalizes in a coroutine that suspends `turns` times."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns
        self.tasks: list[Any] = []

    async def finish(self, result: Any, request: _core.Request, meta: Any) -> RawResponse:
        self.tasks.append((asyncio.current_task(), variable.get()))
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.tasks.append((asyncio.current_task(), variable.get()))
        if isinstance(result, Exception):
            raise result
        return 201, (*JSON_FIELDS, ("x-path", request.path)), b'"%s"' % type(result).__name__.encode()

    def finalize(self, result: Any, request: _core.Request, meta: Any) -> Awaitable[RawResponse]:
        return self.finish(result, request, meta)


@pytest.mark.parametrize("turns", [0, 1, 3])
@pytest.mark.parametrize("suspend", [False, True])
def test_finalize_runs_in_the_task_and_context_of_the_handler(turns: int, suspend: bool) -> None:
    async def main() -> None:
        app = Application(hooks := Finalizing(turns))
        tasks: list[Any] = []

        @app.get("/")
        async def handler() -> object:
            variable.set("of the handler")
            tasks.append(asyncio.current_task())
            if suspend:
                await asyncio.sleep(0)
            return object()

        async with serve(app) as service:
            response = await service.get("/")
        assert (response.status, response.json(), response.headers["x-path"]) == (201, "object", "/")
        assert hooks.tasks == [(tasks[0], "of the handler")] * 2
        assert tasks[0].done()

    run(main())


@pytest.mark.parametrize("turns", [0, 2])
def test_finalize_that_raises(turns: int) -> None:
    async def main() -> None:
        app = Application(Finalizing(turns))
        app.add("/", lambda: ValueError("in finalize"))
        async with serve(app) as service:
            assert (await service.get("/")).json() == {"detail": "ValueError('in finalize')"}

    run(main())


def test_finalize_is_cancelled_on_disconnect() -> None:
    async def main() -> None:
        app = Application(hooks := Finalizing(10**9))
        app.add("/", object)
        async with serve(app) as service:
            client = await service.connect()
            client.send("/")
            await until(service.server.pending)
            client.writer.transport.abort()
            await until(lambda: not service.server.pending())
        assert hooks.exceptions == []
        assert hooks.tasks[0][0].cancelled()

    run(main())


def test_finalize_routes_never_encode_in_c() -> None:
    async def main() -> None:
        app = Application()
        app.add("/", lambda: {"a": 1}, result=ResultSpec(kind=ResultKind.FINALIZE))
        app.add("/bad", lambda: {"a": 1}, result=ResultSpec(kind=ResultKind.FINALIZE))
        async with serve(app) as service:
            assert (await service.get("/")).content == b"finalized dict"

    run(main())


def test_finalize_that_returns_nonsense() -> None:
    class Broken(Hooks):
        def finalize(self, result: Any, request: _core.Request, meta: Any) -> Any:
            return 5

    async def main() -> None:
        app = Application(Broken())
        app.add("/", object)
        async with serve(app) as service:
            assert (await service.get("/")).status == 500
        assert isinstance(app.hooks.exceptions[0], TypeError)

    run(main())


# ---- requests without a route -----------------------------------------------------------------


class Unmatched(Hooks):
    """Formats 404 and 405 itself, except below /builtin."""

    def handle_unmatched(
        self, status: int, headers: Sequence[tuple[str, str]], request: _core.Request
    ) -> RawResponse | None:
        if request.path.startswith("/broken"):
            raise ValueError("formatter")
        if request.path.startswith("/builtin"):
            return None
        return status, [*headers, ("x-custom", request.path)], b"custom"


def test_custom_errors() -> None:
    async def main() -> None:
        app = Application(Unmatched(), custom_errors=True)
        app.add("/known", lambda: "known")
        app.add("/slash/", lambda: "slash")
        async with serve(app) as service:
            missing = await service.get("/missing")
            assert (missing.status, missing.content, missing.headers["x-custom"]) == (404, b"custom", "/missing")
            wrong = await service.get("/known", method="POST")
            assert (wrong.status, wrong.content, wrong.headers["allow"]) == (405, b"custom", "GET, OPTIONS")
            assert (await service.get("/builtin")).json() == {"detail": "Not Found"}
            assert (await service.get("/slash")).headers["location"] == "/slash/"
            assert (await service.get("/known", method="OPTIONS")).status == 204
            assert (await service.get("/broken")).json() == {"detail": "ValueError('formatter')"}

    run(main())


def test_built_in_errors() -> None:
    async def main() -> None:
        app = Application(Unmatched())
        app.add("/known", lambda: "known")
        async with serve(app) as service:
            assert (await service.get("/missing")).json() == {"detail": "Not Found"}
            assert (await service.get("/known", method="POST")).status == 405

    run(main())


# ---- the unexpected ---------------------------------------------------------------------------


def test_a_coroutine_that_ignores_close_when_the_loop_is_gone() -> None:
    finished: list[str] = []

    async def leave_open() -> Service:
        app = Application()

        @app.get("/")
        async def handler() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                finished.append(str(asyncio.isfuture(None)))

        service = Service(app)
        client = await service.connect()
        client.send("/")
        await until(service.server.pending)
        client.writer.transport.abort()
        return service

    loop = asyncio.new_event_loop()
    service = loop.run_until_complete(leave_open())
    loop.close()
    assert len(service.server.pending()) == 1
    service.server.close()
    assert service.server.pending() == []
    assert finished == ["False"]


def test_calling_the_loop_from_inside_a_handler_does_not_confuse_the_server() -> None:
    async def main() -> None:
        app = Application()
        services: list[Service] = []

        @app.get("/inner")
        async def inner() -> str:
            return "inner"

        @app.get("/outer")
        async def outer() -> bytes:
            return (await services[0].get("/inner")).content

        async with serve(app) as service:
            services.append(service)
            assert (await service.get("/outer")).content == b"inner"

    run(main())
