"""``manage.py runbolt``: serve the project's BoltAPI instances.

The command decides, in this order: options, system checks and migration notice, the APIs, the address. Only then are
workers made, so that every mistake is one message on one terminal and never a half-started server.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import no_style
from django.db import DatabaseError, connections
from django.template.autoreload import get_template_directories
from django.utils.autoreload import get_child_arguments

from django_bolt._application import Application, ApplicationError, load_application
from django_bolt._banner import banner
from django_bolt._discovery import DiscoveryError
from django_bolt._listeners import ListenError, Listeners, open_listeners
from django_bolt._options import (
    Address,
    OptionError,
    ServeOptions,
    port,
    positive_int,
    read_address,
    read_options,
    seconds,
)
from django_bolt._reload import Reloader, inherited_listener, loaded_files
from django_bolt._supervisor import Supervisor, WorkerRole
from django_bolt._watch import open_watcher
from django_bolt._worker import Worker

#: Its level decides whether the access log is written.
ACCESS_LOGGER = "django.server"


class Command(BaseCommand):
    """The ``runbolt`` command."""

    help = "Serve the project's BoltAPI instances."
    # Run by handle(): the parent of --dev must survive what they find.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The flags; those about threads and the admin are accepted for compatibility."""
        add = parser.add_argument
        add("--host", default="0.0.0.0", help="Address or name to listen on; :: is every IPv4 and IPv6 address.")
        add("--port", type=port, default=8000, help="TCP port (8000); 0 lets the kernel choose a free one.")
        add("--uds", metavar="PATH", help="Listen on a UNIX socket instead of a TCP port.")
        add(
            "--processes", type=positive_int, default=1, help="Worker processes (1); one for each core is a good start."
        )
        add("--backlog", type=positive_int, help="Connections the kernel queues for each worker (1024).")
        add("--keep-alive", type=seconds, metavar="SECONDS", help="Close a connection idle for this long (75).")
        add("--dev", action="store_true", help="One process, restarted when a source file changes.")
        add("--reload-dir", action="append", default=[], metavar="PATH", help="With --dev: watch this too. Repeatable.")
        add(
            "--access-log",
            action="store_true",
            help="Log requests on standard error, as settings.BOLT_ACCESS_LOG does.",
        )
        add("--max-rss", type=positive_int, metavar="MIB", help="Replace a worker that holds more memory than this.")
        add("--workers-lifetime", type=seconds, metavar="SECONDS", help="Replace workers of this age.")
        add("--respawn-failed-workers", action="store_true", help="Supervise a single process too.")
        add(
            "--workers-kill-timeout",
            type=seconds,
            metavar="SECONDS",
            help="What requests get to finish in on a stop (30).",
        )
        add("--workers", type=positive_int, help="Accepted and without effect: a worker has one thread.")
        add("--no-admin", action="store_true", help="Accepted and without effect: the admin is not served yet.")
        add("--skip-checks", action="store_true", help="Skip system checks.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop; exits with the server's code. Raises CommandError for what the user can mend."""
        if "NO_COLOR" in os.environ:
            self.style = no_style()
            self.stderr.style_func = None
        try:
            code = self._run(options)
        except (ApplicationError, DiscoveryError, ListenError, OptionError) as exc:
            raise CommandError(str(exc)) from exc
        if code:
            sys.exit(code)

    def _run(self, flags: dict[str, Any]) -> int:
        address = read_address(flags)
        serve = read_options(flags, settings, os.environ, access_log=self._wants_access_log(flags["access_log"]))
        inherited = inherited_listener()
        if serve.dev and inherited is None:
            return self._reload(address, serve, flags["reload_dir"])
        if not flags["skip_checks"]:
            self._check()
        application = load_application(
            getattr(settings, "BOLT_API", None), settings.ROOT_URLCONF, apps.get_app_configs()
        )
        listeners = Listeners.adopt(inherited) if inherited is not None else self._listen(address, serve)
        if serve.supervised:
            return self._supervise(application, listeners, serve)
        worker = Worker(
            application,
            listeners.for_slot(0),
            serve,
            log=self._log,
            on_ready=lambda: self._announce(application, listeners.address, serve),
        )
        try:
            return worker.run()
        finally:
            listeners.close()

    # -- before serving ------------------------------------------------------------------------------------------

    def _wants_access_log(self, flag: bool) -> bool:
        """Asked for by flag or setting, and not silenced in LOGGING. C writes the lines, so logging only decides."""
        if not (flag or getattr(settings, "BOLT_ACCESS_LOG", False)):
            return False
        enabled = logging.getLogger(ACCESS_LOGGER).isEnabledFor(logging.INFO)
        if not enabled:
            notice = f"No access log: the logger {ACCESS_LOGGER!r} is not enabled for INFO in settings.LOGGING."
            self.stderr.write(notice, self.style.NOTICE)
        return enabled

    def _check(self) -> None:
        """System checks (SystemCheckError when they fail) and the notice of unapplied migrations."""
        self.check(display_num_errors=True)
        try:
            self.check_migrations()
        except DatabaseError as exc:
            # Serving does not depend on it: the database may come up after us.
            self.stderr.write(f"Cannot tell whether migrations are unapplied: {exc}", self.style.WARNING)

    def _listen(self, address: Address, serve: ServeOptions) -> Listeners:
        return open_listeners(address, serve.processes, serve.backlog, share=serve.reuse_port)

    def _announce(self, application: Application, address: Address, serve: ServeOptions) -> None:
        first, *rest = banner(address, application, serve)
        self.stdout.write("\n".join([self.style.SUCCESS(first), *rest]))
        self.stdout.flush()

    # -- many processes ------------------------------------------------------------------------------------------

    def _supervise(self, application: Application, listeners: Listeners, serve: ServeOptions) -> int:
        others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        if others:
            notice = f"Threads started at import do not exist in workers: {', '.join(others)}"
            self.stderr.write(notice, self.style.WARNING)
        # Shared by all workers from now on; a collection would write to its pages and so copy them.
        gc.collect()
        gc.freeze()
        supervisor = Supervisor(
            listeners,
            serve,
            on_ready=lambda pids: self._announce(application, listeners.address, serve),
            log=self._log,
            before_fork=_close_databases,
        )
        outcome = supervisor.run()
        if isinstance(outcome, WorkerRole):
            return Worker(application, outcome.listener, serve, log=self._log, role=outcome).run()
        return outcome

    def _log(self, message: str) -> None:
        self.stderr.write(f"runbolt: {message}", str)  # not in the colour of errors
        self.stderr.flush()

    # -- development ---------------------------------------------------------------------------------------------

    def _reload(self, address: Address, serve: ServeOptions, reload_dirs: list[str]) -> int:
        missing = [path for path in reload_dirs if not Path(path).is_dir()]
        if missing:
            raise CommandError(f"--reload-dir: no such directory: {', '.join(missing)}")
        listeners = self._listen(address, serve)
        _close_databases()
        watcher = open_watcher(force_polling=bool(getattr(settings, "BOLT_DEV_FORCE_POLLING", False)))
        base = Path(getattr(settings, "BASE_DIR", Path.cwd()))
        watcher.add_roots(path.resolve() for path in (base, *get_template_directories(), *map(Path, reload_dirs)))
        watcher.add_files(loaded_files())
        try:
            return Reloader(get_child_arguments(), listeners.for_slot(0), watcher, log=self._log).run()
        finally:
            listeners.close()


def _close_databases() -> None:
    """A connection must not be shared by two processes, nor a pool's threads be lost in one."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()
