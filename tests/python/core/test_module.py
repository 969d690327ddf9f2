"""The extension module: several instances, clean release of its state."""

from __future__ import annotations

import gc
import importlib.machinery
import importlib.util
import subprocess
import sys
import weakref
from types import ModuleType

from django_bolt import _core


def second_instance() -> ModuleType:
    assert _core.__spec__ is not None and _core.__spec__.origin is not None
    loader = importlib.machinery.ExtensionFileLoader(_core.__name__, _core.__spec__.origin)
    spec = importlib.util.spec_from_file_location(_core.__name__, _core.__spec__.origin, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_instances_are_independent_and_released() -> None:
    module = second_instance()
    assert module is not _core
    gone = weakref.ref(module)
    del module
    gc.collect()
    assert gone() is None
    assert sys.modules["django_bolt._core"] is _core


PATCHED_ASYNCIO = """
import asyncio, socket
asyncio.Task = asyncio.tasks.Task = asyncio.tasks._CTask = asyncio.tasks._PyTask
asyncio.Future = asyncio.futures.Future = asyncio.futures._CFuture = asyncio.futures._PyFuture
from tests.python.harness import Application, run, serve

async def main():
    app = Application()

    @app.get("/")
    async def handler():
        await asyncio.sleep(0)
        return str(type(asyncio.current_task()).__name__)

    async with serve(app) as service:
        print((await service.get("/")).content.decode())

run(main())
"""


def test_python_classes_in_place_of_task_and_future() -> None:
    """nest_asyncio does this to asyncio."""
    done = subprocess.run([sys.executable, "-c", PATCHED_ASYNCIO], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("RequestTask\n", "")
