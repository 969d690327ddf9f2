"""``manage.py runbolt`` in a project written for the test."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from program import Program, program

SETTINGS = """
from pathlib import Path
BASE_DIR = Path(__file__).parent.parent
SECRET_KEY = "x" * 50
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["django_bolt"]
ROOT_URLCONF = "proj.urls"
USE_TZ = True
"""
MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "proj.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
API = """
import asyncio, os, signal, time
from django_bolt import BoltAPI

api = BoltAPI()

def say(line):
    os.write(1, f"{line}\\n".encode())

@api.get("/pid")
async def pid():
    return {"pid": os.getpid(), "slot": os.environ.get("DJANGO_BOLT_PROCESS_ID")}

@api.get("/crash")
async def crash():
    os.kill(os.getpid(), signal.SIGKILL)

@api.get("/slow")
async def slow(release: str):
    say(f"slow started {os.getpid()}")
    try:
        while not os.path.exists(release):
            await asyncio.sleep(0.01)
    except asyncio.CancelledError:
        say("slow cancelled")
        raise
    return {"pid": os.getpid()}

@api.get("/block")
async def block():
    say("blocking")
    while True:
        time.sleep(0.05)
"""


class Runbolt(Program):
    """A running server."""

    url = ""
    port = 0

    def wait_ready(self) -> None:
        """Until the banner with the address is printed."""
        self.url = self.expect(r"^(?:\x1b\[[\d;]*m)?Serving .* on (http://\S+|unix:\S+?)(?:\x1b\[0m)?$").group(1)
        if self.url.startswith("http"):
            self.port = int(self.url.rpartition(":")[2])

    def get(self, path: str) -> Any:
        """The decoded JSON of a 200, on a connection of its own."""
        status, text = self.request("GET", path)
        assert status == 200, text
        return json.loads(text)

    def request(self, method: str, path: str) -> tuple[int, str]:
        """Status and text, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers={"connection": "close"})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def open(self, path: str) -> socket.socket:
        """Send a GET and leave it open."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
        return connection


def write_project(root: Path, api: str = API, **files: str) -> Path:
    """A project in ``root``; ``files`` maps modules, a__b for a/b.py, to texts, appended to what is there."""
    texts = {
        "manage.py": MANAGE,
        "proj/__init__.py": "",
        "proj/settings.py": SETTINGS,
        "proj/urls.py": "urlpatterns = []\n",
        "proj/api.py": api,
    }
    for name, text in files.items():
        path = name.replace("__", "/", 1) + ".py"
        texts[path] = texts.get(path, "") + text
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@contextmanager
def runbolt(root: Path, *arguments: str, port: str = "0", **environment: str) -> Iterator[Runbolt]:
    """``manage.py runbolt`` in ``root`` on a free port of 127.0.0.1."""
    command = [sys.executable, "manage.py", "runbolt", "--host", "127.0.0.1", "--port", port, *arguments]
    variables = {"NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"} | environment
    with program(command, cwd=root, environment=os.environ | variables) as run:
        yield Runbolt(run.process)


def status_line(connection: socket.socket) -> str:
    """The first line of the response; empty when the connection was closed without one."""
    with connection, connection.makefile("rb") as stream:
        try:
            return stream.readline().decode().strip()
        except ConnectionResetError:
            return ""
