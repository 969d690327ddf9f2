"""Fixtures for tests that serve handlers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.python.harness import LOOP_FACTORIES, Application, serve
from tests.python.harness import run as run_on

Handler = Callable[[], Any]
TIMES = 3


@pytest.fixture(params=sorted(LOOP_FACTORIES))
def run(request: pytest.FixtureRequest) -> Any:
    return lambda coro: run_on(coro, request.param)


@pytest.fixture
def answers(run: Any) -> Callable[[Handler], list[Any]]:
    """Serves the handler, calls it TIMES times and returns the decoded answers; its exceptions fail the test."""

    def answers(handler: Handler) -> list[Any]:
        async def main() -> list[Any]:
            app = Application()
            app.add("/", handler)
            async with serve(app) as service:
                responses = [await service.get("/") for _ in range(TIMES)]
            for exc in app.hooks.exceptions:
                raise exc
            return [response.json() if response.content[:1] in b"{[" else response.content for response in responses]

        answered: list[Any] = run(main())
        return answered

    return answers
