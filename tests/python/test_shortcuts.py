"""render(): a Django template in a response, with the request of ours."""

from __future__ import annotations

import pytest
from apis import call
from django.template import TemplateDoesNotExist

from django_bolt import BoltAPI, Request, Response, render


def test_render() -> None:
    api = BoltAPI()

    @api.get("/hello")
    async def hello(request: Request, name: str) -> Response:
        return render(request, "hello.html", {"name": name}, status=203)

    response = call(api, "/hello?name=%3Cb%3E")
    assert (response.status, response.headers["content-type"]) == (203, "text/html; charset=utf-8")
    assert response.content == b"<p>Hello &lt;b&gt;, this is /hello</p>\n"


def test_content_type_and_missing_template() -> None:
    response = render(None, "hello.html", {"name": "x"}, content_type="application/xhtml+xml")
    assert response.to_raw()[1] == [("content-type", "application/xhtml+xml")]
    with pytest.raises(TemplateDoesNotExist):
        render(None, "missing.html")
