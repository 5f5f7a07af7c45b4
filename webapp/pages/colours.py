"""The colour of each row of a breakdown. It belongs to what the row stands for, not to its place in the table.

Projects, keys, people and models take the colours in turn, in the order in which they came, so one keeps its colour
whatever the period, the filters and the theme are. Where a chart shows two that have the same one, the later one takes
the next colour that is free there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zlib import crc32

from webapp import db

COUNT = 10  # --s1 … --s10 in app.css; --s0 is grey, for “Other” and for nothing
_PLACES = {
    "project": "select id::text, row_number() over (order by created_at, id) as n from public.projects",
    "key": "select id::text, row_number() over (order by created_at, id) as n from public.api_keys",
    "person": "select user_id::text as id, row_number() over (order by joined_at, user_id) as n from public.members",
    # Goes from one day with a new model to the next, until all of the ids were seen: few rows of the totals are read.
    "model": """
        with recursive seen as (
            select array[]::text[] as models, '-infinity'::date as day
            union all
            select s.models || d.models, d.day
            from seen s
            cross join lateral (
                select n.day, array(
                    select distinct t.model from public.daily_totals t
                    where t.org_id = (select app.current_org_id()) and t.day = n.day and t.model <> all (s.models)
                    order by t.model) as models
                from (
                    select t.day from public.daily_totals t
                    where t.org_id = (select app.current_org_id()) and t.day >= s.day and t.model <> all (s.models)
                    order by t.day limit 1) n
            ) d
            where not s.models @> %s::text[]
        )
        select m.id, m.n from (select s.models from seen s order by cardinality(s.models) desc limit 1) s
        cross join unnest(s.models) with ordinality m (id, n)""",
}


def places(tx: db.Transaction, by: str, ids: Sequence[str]) -> dict[str, int]:
    """Id → its number among all of its kind in the organization, from 1; without the ids that have none."""
    if by not in _PLACES or not ids:
        return {}
    query = f"select p.id, p.n from ({_PLACES[by]}) p where p.id = any(%s)"  # noqa: S608  # own words
    rows = tx.query(query, *[list(ids)] * query.count("%s"))
    return {row["id"]: row["n"] for row in rows}


def chosen(ids: Sequence[str], numbers: Mapping[str, int]) -> dict[str, int]:
    """Id → number of its colour, 1 to COUNT, each once; ids: at most COUNT. '' stands for nothing and is grey, 0."""
    taken: dict[str, int] = {}
    # Names that nobody counts, such as tags, begin where a checksum of theirs says.
    wanted = {name: (numbers.get(name) or crc32(name.encode()) + 1, name) for name in ids if name}
    for name in sorted(wanted, key=lambda name: (name not in numbers, wanted[name])):
        colour = (wanted[name][0] - 1) % COUNT + 1
        while colour in taken.values():
            colour = colour % COUNT + 1
        taken[name] = colour
    return taken | {name: 0 for name in ids if not name}
