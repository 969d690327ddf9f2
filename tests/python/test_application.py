"""From discovered APIs to one application, or one message."""

from __future__ import annotations

import sys
import types

import pytest

from django_bolt import BoltAPI
from django_bolt._application import ApplicationError, load_application


def module_with(monkeypatch: pytest.MonkeyPatch, name: str, api: BoltAPI) -> str:
    module = types.ModuleType(name)
    vars(module)["api"] = api
    monkeypatch.setitem(sys.modules, name, module)
    return f"{name}:api"


def one_route(path: str) -> BoltAPI:
    api = BoltAPI()

    @api.get(path)
    async def handler() -> int:
        return 1

    return api


def test_all_apis_become_one_application(monkeypatch: pytest.MonkeyPatch) -> None:
    apis = one_route("/a"), one_route("/b")
    entries = [module_with(monkeypatch, f"loaded_{index}", api) for index, api in enumerate(apis)]
    application = load_application(entries, None, ())
    assert application.apis == apis
    assert application.names == ("loaded_0:api", "loaded_1:api")
    assert application.route_count == 2
    assert application.app.match("GET", "/b")[0] == "found"


def test_apis_that_do_not_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [module_with(monkeypatch, f"clashing_{index}", one_route("/same")) for index in range(2)]
    with pytest.raises(ApplicationError, match=r"^clashing_0:api, clashing_1:api: GET /same is served by "):
        load_application(entries, None, ())


@pytest.mark.parametrize(
    ("entries", "urlconf", "text"),
    [
        ([], "proj.urls", r"settings\.BOLT_API is empty"),
        (None, "no_such_project.urls", r"No BoltAPI found\. Write `api = BoltAPI\(\)` in no_such_project\.api"),
        (None, None, r"No BoltAPI found\. Write `api = BoltAPI\(\)` in api, "),
    ],
)
def test_nothing_to_serve(entries: list[str] | None, urlconf: str | None, text: str) -> None:
    with pytest.raises(ApplicationError, match=text):
        load_application(entries, urlconf, ())
