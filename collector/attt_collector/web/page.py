"""Renders a page: its template, the words of its language, and how values are written."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from attt_collector.report import numbers
from attt_collector.report.wording import fact_words, in_words, value_words, when
from attt_collector.store.db import Store
from attt_collector.web.access import Viewer, store_of
from attt_collector.web.members import reasons
from attt_collector.words import Words

STATIC_FOLDER = Path(__file__).parent / "static"


def render(
    request: Request,
    template: str,
    *,
    words: Words,
    viewer: Viewer | None = None,
    status: int = 200,
    **values: Any,
) -> HTMLResponse:
    """A finished page. `values` are what the template itself asks for."""
    store: Store = store_of(request)
    text = (
        _environment()
        .get_template(f"{template}.html.j2")
        .render(
            t=words,
            viewer=viewer,
            simulated=store.simulated,
            here=_here(request),
            path=request.url.path,
            when=when,
            day=numbers.day,
            value_words=lambda value: value_words(words, value),
            fact_words=lambda fact: fact_words(words, fact),
            span_words=lambda seconds: span_words(words, seconds),
            condition_words=lambda condition: in_words(words, condition),
            **values,
        )
    )
    return HTMLResponse(text, status_code=status)


def span_words(words: Words, seconds: float) -> str:
    """A length of time in its largest whole unit: 3 phút, 11 ngày."""
    span = timedelta(seconds=abs(seconds))
    if span >= timedelta(days=2):
        return words("span.days", count=numbers.integer(span.days, words.language))
    if span >= timedelta(hours=2):
        return words("span.hours", count=str(int(span.total_seconds() // 3600)))
    if span >= timedelta(minutes=2):
        return words("span.minutes", count=str(int(span.total_seconds() // 60)))
    return words("span.seconds", count=str(int(span.total_seconds())))


def capital(text: str) -> str:
    """A sentence with a capital letter; never for names, which are as their owners write them."""
    return text[:1].upper() + text[1:]


@pass_context
def _integer(context: Context, number: int) -> str:
    words: Words = context["t"]
    return numbers.integer(number, words.language)


@cache
def static_version(name: str) -> str:
    """The start of the sha256 of a static file: a new version has a new address."""
    return hashlib.sha256((STATIC_FOLDER / name).read_bytes()).hexdigest()[:12]


def _static_url(name: str) -> str:
    return f"/static/{name}?v={static_version(name)}"


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["integer"] = _integer
    made.filters["capital"] = capital
    made.filters["reasons"] = reasons
    made.globals["static"] = _static_url
    return made
