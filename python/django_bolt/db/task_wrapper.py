"""What every DatabaseWrapper needs to pass from task to task."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


class TaskWrapper(BaseDatabaseWrapper):
    """Mixin. `django_bolt.db.scope` hands wrappers out to tasks and calls `reset_for_reuse` when a task is done."""

    #: every task uses the thread's wrapper (in-memory databases exist once per connection)
    shared_by_tasks = False

    def reset_for_reuse(self) -> None:
        """The task that used this wrapper is done, another one may get it. Runs in a loop callback: must not wait."""
        self.forget_state()

    def drop_connection(self) -> None:
        """Let go of a connection that was kept for the next task, if any. Called in any thread: must not wait."""

    def forget_state(self) -> None:
        """Back to a wrapper without transaction, hooks and query log."""
        self.in_atomic_block = False
        self.savepoint_ids = []
        self.atomic_blocks = []
        self.needs_rollback = False
        self.rollback_exc = None
        self.run_on_commit = []
        self.run_commit_hooks_on_set_autocommit_on = False
        self.execute_wrappers = []
        self.closed_in_transaction = False
        self.force_debug_cursor = False
        self.queries_log.clear()
        self.__dict__.pop("_bolt_levels", None)
