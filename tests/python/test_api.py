"""The application object: options, prefixes, trailing slashes, routers, mounts, replacement."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from django_bolt import JSON, BoltAPI, BoltError, Request, Response, Router
from django_bolt._plan import Source


def routes(api: BoltAPI) -> list[str]:
    return [f"{registered.spec.method} {registered.spec.path}" for registered in api.routes]


def formatter(error: BoltError, request: Request) -> Response:
    return JSON({}, error.status)


async def handler() -> None: ...


@pytest.mark.parametrize(
    ("prefix", "rule", "path", "registered"),
    [
        ("", "strip", "/", "/"),
        ("", "strip", "", "/"),
        ("", "strip", "/a/", "/a"),
        ("/v1/", "strip", "/a/", "/v1/a"),
        ("/v1", "strip", "/", "/v1"),
        ("/v1", "append", "/a", "/v1/a/"),
        ("/v1", "keep", "/a/", "/v1/a/"),
        ("/v1", "keep", "/a", "/v1/a"),
        ("/v1", "anything", "/a/", "/v1/a/"),
    ],
)
def test_registered_path(prefix: str, rule: str, path: str, registered: str) -> None:
    api = BoltAPI(prefix=prefix, trailing_slash=rule)
    api.get(path)(handler)
    assert routes(api) == [f"GET {registered}"]


def test_attributes() -> None:
    api = BoltAPI("/v1/", "append", "ns", include_in_schema=False)
    assert (api.prefix, api.trailing_slash, api.namespace, api.include_in_schema) == ("/v1", "append", "ns", False)


def test_later_route_wins() -> None:
    api = BoltAPI()

    @api.get("/a/{x}")
    async def first(x: int) -> None: ...

    @api.get("/a/{y}")
    async def second(y: int) -> None: ...

    api.post("/a/{z}")(handler)
    assert [registered.spec.handler for registered in api.routes] == [second, handler]


def test_spec_carries_everything() -> None:
    class Item(msgspec.Struct):
        a: int

    api = BoltAPI(validate_response=False)

    @api.post("/items/{id}", status_code=201)
    async def create(id: int, item: Item) -> Item: ...

    (registered,) = api.routes
    spec = registered.spec
    assert (spec.method, spec.path, spec.handler, spec.is_async) == ("POST", "/items/{id}", create, True)
    assert [param.source for param in spec.params] == [Source.PATH, Source.BODY]
    assert (spec.result.status, spec.result.convert, spec.name) == (201, None, f"{__name__}.{create.__qualname__}")
    assert spec.meta.name == spec.name


def test_include_router() -> None:
    api, router = BoltAPI(prefix="/api"), Router(prefix="/users/{user_id}")

    @router.get("/posts/")
    async def posts(user_id: int) -> None: ...

    api.include_router(router, prefix="/v2")
    (registered,) = api.routes
    assert registered.spec.path == "/api/v2/users/{user_id}/posts"
    assert [param.source for param in registered.spec.params] == [Source.PATH]
    with pytest.raises(TypeError, match="expects a Router"):
        api.include_router(BoltAPI())  # type: ignore[arg-type]


def test_mount() -> None:
    inner = BoltAPI(prefix="/inner", validate_response=False, trailing_slash="keep")
    outer = BoltAPI(prefix="/outer", trailing_slash="append")
    inner.get("/a")(handler)
    inner.get("/{id}/b")(handler)
    outer.mount("/sub/{tenant}", inner)
    assert routes(outer) == ["GET /outer/sub/{tenant}/inner/a/", "GET /outer/sub/{tenant}/inner/{id}/b/"]
    assert {registered.owner.validate_response for registered in outer.routes} == {False}
    assert routes(inner) == ["GET /inner/a", "GET /inner/{id}/b"]


def test_mount_recompiles_for_the_new_path() -> None:
    inner, outer = BoltAPI(), BoltAPI()

    @inner.get("/a")
    async def read(tenant: int) -> None: ...

    outer.mount("/{tenant}", inner)
    assert inner.routes[0].spec.params[0].source is Source.QUERY
    assert outer.routes[0].spec.params[0].source is Source.PATH


def test_mount_misuse() -> None:
    api = BoltAPI(error_formatter=formatter)
    with pytest.raises(TypeError, match="expects a BoltAPI"):
        api.mount("/x", Router())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mounted in itself"):
        api.mount("/x", api)
    with pytest.raises(ValueError, match="another error_formatter"):
        BoltAPI().mount("/x", api)
    BoltAPI(error_formatter=formatter).mount("/x", api)


class Middleware:
    def __init__(self, get_response: Any) -> None: ...


async def async_formatter(error: BoltError, request: Request) -> Response: ...


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"prefix": 5}, TypeError, "prefix must be a str"),
        ({"trailing_slash": True}, TypeError, "trailing_slash must be a str"),
        ({"namespace": 5}, TypeError, "namespace must be a str"),
        ({"middleware": Middleware}, TypeError, "must be a list"),
        ({"middleware": [Middleware(None)]}, TypeError, "is an instance; pass the class Middleware itself"),
        ({"middleware": [handler]}, TypeError, "is a function"),
        ({"django_middleware": "a.b"}, TypeError, "django_middleware must be"),
        ({"django_middleware": ["nowhere.Middleware"]}, ImportError, "nowhere"),
        ({"django_middleware": {"only": []}}, ValueError, r"got \['only'\]"),
        ({"enable_logging": None}, TypeError, "enable_logging must be True or False"),
        ({"logging_config": "x"}, TypeError, "logging_config must be"),
        ({"compression": True}, TypeError, "compression must be"),
        ({"openapi_config": "x"}, TypeError, "openapi_config must be"),
        ({"validate_response": 1}, TypeError, "validate_response must be"),
        ({"include_in_schema": "no"}, TypeError, "include_in_schema must be"),
        ({"lifespan": 5}, TypeError, "lifespan must be callable"),
        ({"error_formatter": 5}, TypeError, "error_formatter must be callable"),
        ({"error_formatter": async_formatter}, TypeError, "is async"),
    ],
)
def test_wrong_options(options: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        BoltAPI(**options)


@pytest.mark.parametrize(
    ("choice", "paths"),
    [
        (None, []),
        (False, []),
        (True, ["Security", "Common"]),
        ({"include": ["django.middleware.common.CommonMiddleware"]}, ["Common"]),
        ({"exclude": ["django.middleware.common.CommonMiddleware"]}, ["Security"]),
        (["django.middleware.gzip.GZipMiddleware"], ["GZip"]),
    ],
)
def test_django_middleware(choice: Any, paths: list[str]) -> None:
    chosen = BoltAPI(django_middleware=choice).django_middleware
    assert [path.rpartition(".")[2].removesuffix("Middleware") for path in chosen] == paths


def test_good_options() -> None:
    settings = object()
    api = BoltAPI(
        middleware=[Middleware, {"rps": 5}],
        logging_config=settings,
        compression=False,
        openapi_config=settings,
        error_formatter=formatter,
    )
    assert (api.middleware, api.compression, api.error_formatter) == ([Middleware, {"rps": 5}], False, formatter)


def test_misuse_is_reported_at_registration() -> None:
    api = BoltAPI()
    with pytest.raises(TypeError, match=r"handler_without_source: parameter 'args'"):

        @api.get("/a")
        async def handler_without_source(*args: int) -> None: ...

    assert api.routes == ()


def test_a_malformed_path_names_the_handler() -> None:
    with pytest.raises(ValueError, match=r"test_api.handler: path '/a{b}': segment"):
        BoltAPI().get("/a{b}")(handler)
