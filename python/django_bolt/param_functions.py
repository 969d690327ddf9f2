"""The parameter markers under their second name; see ``django_bolt.params``."""

from __future__ import annotations

from django_bolt.params import Body, Cookie, Depends, File, Form, Header, Path, Query

__all__ = ["Body", "Cookie", "Depends", "File", "Form", "Header", "Path", "Query"]
