"""What `flask prices sync` found, as lines for a person: one line for each model, and for each price when verbose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from webapp.written import exact, many

ADDED = ("new", "changed", "accepted")
QUIET = ("equal", "missing")  # without --verbose only counted
SHOWN = 3  # prices of a model that its line names


def lines(found: list[dict[str, Any]], verbose: bool) -> Iterator[str]:
    """Lines for rows of app.price_sync; verbose: one for each price, else one for each model and kind of difference."""
    rows = [row for row in found if row["change"] != "equal" and (verbose or row["change"] not in QUIET)]
    rows.sort(key=lambda row: (_kind(row), row["model"]))
    for (kind, model), group in groupby(rows, key=lambda row: (_kind(row), row["model"])):
        of_model = list(group)
        shown = of_model if verbose else of_model[:SHOWN]
        for row in shown if verbose else []:
            yield f"{kind}\t{model} {_difference(row)}"
        if not verbose:
            more = f"; and {len(of_model) - SHOWN} more" if len(of_model) > SHOWN else ""
            yield f"{kind}\t{model}: {'; '.join(_difference(row) for row in shown)}{more}"


def _kind(row: dict[str, Any]) -> str:
    """The change of a row; for a price that one source has, with that source: "only litellm"."""
    return f"only {row['source'].split(' ')[1]}" if row["change"] == "only" else str(row["change"])


def _difference(row: dict[str, Any]) -> str:
    """A row of app.price_sync as text: input_text flex: $1.25 (genai-prices 0.2.3) → $1.50 per 1000000 from …"""
    what = f"{row['dimension']} {row['service_tier']}"
    what += f" {row['qualifier']}" if row["qualifier"] else ""
    what += f" >{row['context_min_tokens']}" if row["context_min_tokens"] else ""
    old = f"{exact(row['old_price'])} ({row['old_source']})" if row["old_price"] is not None else "no price"
    if row["change"] == "missing":
        return f"{what}: {old} is in no source, and stays in the list"
    if row["change"] == "differ":
        said = ", ".join(f"{name} says {price}" for name, price in sorted(row["offers"].items()))
        return f"{what}: {old}; {said}"
    new = f"{exact(row['new_price'])} per {row['unit_qty']}"
    if row["change"] not in ADDED:
        return f"{what}: {old}, the source says {new}"
    since = f"{row['valid_from']:%Y-%m-%d}" if row["valid_from"] else "the beginning"
    return f"{what}: {old} → {new} from {since}"


def summary(found: list[dict[str, Any]], dry_run: bool) -> Iterator[str]:
    """The last lines: how many prices of each kind, on how many the sources agree, and how to go on."""
    counts = Counter(_kind(row) for row in found)
    compared = [row["agreed"] for row in found if row["agreed"] is not None]
    if compared:
        yield f"the sources agree on {sum(compared):,} of {len(compared):,} prices that both have"
    else:
        yield "only one source was read, so nothing is added but what --accept MODEL names: see --fetch and --file"
    usual = ["equal", *ADDED, "kept", "differ"]
    kinds = usual + sorted(kind for kind in counts if kind.startswith("only ")) + ["missing"]
    words = ", ".join(f"{counts[kind]} {kind}" for kind in kinds)
    yield f"{words}{'; nothing was written' if dry_run else ''}"
    added = sum(counts[kind] for kind in ADDED)
    if added and not dry_run:
        yield (
            f"{many(added, 'price')} added by sync {found[0]['run']}. To undo: flask prices undo {found[0]['run']}."
            " To price earlier calls with them: flask prices reprice-new"
        )
