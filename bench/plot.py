"""Draws the results as an SVG bar chart, written by hand: one panel per case, one bar per peer."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from bench.peers import CEILING, OURS, REFERENCE
from bench.report import Summary

_WIDTH = 860
_LABEL_WIDTH = 170
_BAR_WIDTH = 520
_BAR_HEIGHT = 18
_ROW_HEIGHT = 26
_PANEL_GAP = 34
_MARGIN = 20
_COLOURS = {OURS.name: "#0b6e4f", REFERENCE.name: "#c8553d", CEILING.name: "#9aa5b1"}
_OTHER_COLOUR = "#6c8ebf"
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1f2933}.title{font-size:16px;font-weight:600}"
    ".panel{font-size:13px;font-weight:600}.note{fill:#52606d;font-size:11px}"
)


def svg(title: str, notes: Sequence[str], panels: Sequence[tuple[str, Sequence[Summary]]]) -> str:
    """The chart. Bars are medians of requests per CPU-second, whiskers the slowest and fastest round."""
    parts: list[str] = [_text(_MARGIN, 28, title, "title")]
    y = 46
    for note in notes:
        parts.append(_text(_MARGIN, y, note, "note"))
        y += 15
    for name, summaries in panels:
        if summaries:
            y += _PANEL_GAP
            parts.append(_text(_MARGIN, y, name, "panel"))
            parts += _panel(y + 8, summaries)
            y += len(summaries) * _ROW_HEIGHT
    height = y + _MARGIN + 10
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
            f' viewBox="0 0 {_WIDTH} {height}" role="img">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _panel(top: int, summaries: Sequence[Summary]) -> list[str]:
    longest = max(summary.highest for summary in summaries) or 1.0
    parts: list[str] = []
    for index, summary in enumerate(summaries):
        y = top + index * _ROW_HEIGHT
        parts += _bar(y, summary, _BAR_WIDTH / longest)
    return parts


def _bar(y: int, summary: Summary, scale: float) -> list[str]:
    x0 = _MARGIN + _LABEL_WIDTH
    middle = y + _BAR_HEIGHT / 2
    colour = _COLOURS.get(summary.peer, _OTHER_COLOUR)
    low, high = x0 + summary.lowest * scale, x0 + summary.highest * scale
    value = f"{summary.requests_per_cpu_second:,.0f}"
    if summary.times_reference is not None and summary.peer != REFERENCE.name:
        value += f" ({summary.times_reference:.2f}x)"
    length = summary.requests_per_cpu_second * scale
    return [
        _text(_MARGIN, y + 14, summary.title),
        f'<rect x="{x0}" y="{y}" width="{length:.1f}" height="{_BAR_HEIGHT}" fill="{colour}"/>',
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {y + 5}v8M{high:.1f} {y + 5}v8" stroke="#1f2933"/>',
        _text(round(max(high, x0 + length)) + 6, y + 14, value),
    ]


def _text(x: int, y: int, text: str, kind: str | None = None) -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{attribute}>{escape(text)}</text>'
