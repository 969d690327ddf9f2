"""The django_bolt API framework on an engine written in C."""

from __future__ import annotations

from django_bolt import status
from django_bolt.api import BoltAPI
from django_bolt.cookies import Cookie
from django_bolt.enums import FileSize, MediaType
from django_bolt.error_handlers import problem_details
from django_bolt.exceptions import BoltError, HTTPException
from django_bolt.params import Body, Depends, Header, Path, Query
from django_bolt.request import Request, is_request
from django_bolt.responses import HTML, JSON, PlainText, Redirect, Response
from django_bolt.router import Router
from django_bolt.shortcuts import render

__all__ = [
    "HTML",
    "JSON",
    "Body",
    "BoltAPI",
    "BoltError",
    "Cookie",
    "Depends",
    "FileSize",
    "HTTPException",
    "Header",
    "MediaType",
    "Path",
    "PlainText",
    "Query",
    "Redirect",
    "Request",
    "Response",
    "Router",
    "is_request",
    "problem_details",
    "render",
    "status",
]
