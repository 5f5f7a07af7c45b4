"""Draws small line charts as one SVG, in two columns; colours that can be read on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 400, 230  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 42, 44  # room around its lines
INK, RULE, COLOURS = "#76808b", "#76808b55", ("#2f81f7", "#d1791f")


class Chart(NamedTuple):
    """One line chart. across: title of the x-axis; labels: one below each point; series: name → one value per label."""

    title: str
    across: str
    labels: Sequence[str]
    series: dict[str, Sequence[float]]


def figure(charts: Sequence[Chart]) -> str:
    """The SVG of these charts, in two columns."""
    lines = math.ceil(len(charts) / 2)
    parts = [
        f'<g transform="translate({n % 2 * WIDTH},{n // 2 * HEIGHT})">\n{_drawn(chart)}\n</g>'
        for n, chart in enumerate(charts)
    ]
    size = f'viewBox="0 0 {2 * WIDTH} {lines * HEIGHT}" width="{2 * WIDTH}" height="{lines * HEIGHT}"'
    font = 'font-family="system-ui, sans-serif" font-size="12"'
    return "\n".join(
        [f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font} fill="{INK}" role="img">',
         f"<title>{'; '.join(chart.title for chart in charts)}</title>", *parts, "</svg>", ""]
    )  # fmt: skip


def _drawn(chart: Chart) -> str:
    """The SVG elements of one chart, WIDTH by HEIGHT."""
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = [_text(LEFT, 18, chart.title, 'font-weight="600" font-size="13"')]
    parts.append(_text((LEFT + right) / 2, HEIGHT - 8, chart.across, 'text-anchor="middle"'))
    values = [value for series in chart.series.values() for value in series]
    if not values:
        return "\n".join([*parts, _text((LEFT + right) / 2, HEIGHT / 2, "not measured yet", 'text-anchor="middle"')])
    top = _nice(max(*values, 1e-9, 0))
    for n in range(5):
        y = bottom - (bottom - TOP) * n / 4
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" stroke="{RULE}"/>')
        parts.append(_text(LEFT - 6, y + 4, _short(top * n / 4), 'text-anchor="end" font-size="11"'))
    steps = max(len(chart.labels) - 1, 1)
    xs = [LEFT + 20 + (right - LEFT - 40) * n / steps for n in range(len(chart.labels))]
    for x, label in zip(xs, chart.labels, strict=True):
        parts.append(_text(x, bottom + 16, label, 'text-anchor="middle" font-size="11"'))
    for n, (name, series) in enumerate(chart.series.items()):
        ys = [bottom - (bottom - TOP) * max(value, 0) / top for value in series]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[n]}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{COLOURS[n]}"/>' for x, y in zip(xs, ys, strict=True)
        ]
        upper = max(series) == max(values)
        for x, y, value in zip(xs, ys, series, strict=True):
            look = f'text-anchor="middle" font-size="11" fill="{COLOURS[n]}"'
            if upper or y + 17 < bottom:  # values of the lower line stand below it, where there is room
                parts.append(_text(x, y - 9 if upper else y + 17, _short(value), look))
        if len(chart.series) > 1:
            place = right - 40 * (len(chart.series) - 1 - n)
            parts.append(_text(place, 18, name, f'text-anchor="end" fill="{COLOURS[n]}"'))
    return "\n".join(parts)


def _text(x: float, y: float, words: str, look: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{words}</text>'


def _short(value: float) -> str:
    """A value in few characters: 1.2, 45, 2,310."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _nice(value: float) -> float:
    """The top of the y-axis: the next round number above the largest value."""
    size = 10 ** math.floor(math.log10(value))
    return next(size * step for step in (1, 1.2, 1.6, 2, 3, 4, 6, 8, 10, 12) if size * step >= value * 1.08)
