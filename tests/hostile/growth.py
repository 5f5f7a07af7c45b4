"""Attacks by what costs nothing: made-up tags on free calls, and accounts of strangers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from secrets import token_hex

import requests
from fake_replies import reply_json
from hostile.bodies import calls_of_others
from hostile.frame import Result, Target, attack

KEPT = 10_000  # tags of an organization and day that are kept apart
FULL = "insert into private.label_counts (org_id, day, kind, name, slot, labels) values (%s, %s, 'tag', '', 200, %s)"
LABELS = "select count(distinct label) as n from public.daily_labels where org_id = %s and kind = 'tag'"
OTHER = "select sum(calls) as n from public.daily_labels where org_id = %s and label = '(other)'"
PLACES = 50  # sign-ups of one address within a quarter of an hour
SIGNED_UP = "insert into private.signup_attempts (address) select '127.0.0.1' from generate_series(1, %s)"


def free_call(target: Target) -> int:
    """A call that costs nothing, with 16 tags that nobody has used before; its status."""
    tags = ",".join(f"{token_hex(8)}={token_hex(8)}" for _ in range(16))
    headers = {"Authorization": f"Bearer {target.stack.key('eve')}", "x-spendai-tags": tags}
    return requests.get(f"{target.stack.proxy}/models", headers=headers, timeout=30).status_code


@attack("made-up tags")
def tags(target: Target) -> Result:
    """16 random tags on each free call: what is stored of them is bounded, and sums still add up."""
    result, conn, org = Result(), target.stack.conn, target.stack.people.orgs["eve"]
    room = 100 if target.quick else KEPT
    conn.execute(FULL, [org, datetime.now(UTC).date(), KEPT - room])
    before, many = conn.execute(LABELS, [org]).fetchone()["n"], room // 16 + 20
    target.upstream.queue("/v1/models", *[reply_json({"object": "list", "data": []})] * many)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: free_call(target), range(many)))
    result.tried("free calls with tags are answered", held=set(answers) == {200}, times=many)
    result.tried("they are settled", held=target.all_settled())
    grown = conn.execute(LABELS, [org]).fetchone()["n"] - before
    result.tried(f"{16 * many} made-up tags leave {grown} labels", held=grown <= room + 4 * 16 + 1, times=16 * many)
    others = conn.execute(OTHER, [org]).fetchone()["n"] or 0
    result.tried("the rest is counted as (other)", held=grown - 1 + others >= 16 * many)
    wrong = conn.execute("select from app.totals_differences(%s)", [datetime.now(UTC).date()]).fetchall()
    result.tried("sums add up", held=wrong == [])
    return result


def sign_up(target: Target, number: int) -> int:
    """The status that a stranger gets."""
    body = {"email": f"x{number}-{token_hex(4)}@example.com", "password": token_hex(12)}
    return requests.post(f"{target.stack.url}/api/v1/auth/signup", json=body, timeout=60).status_code


@attack("sign-ups")
def sign_ups(target: Target) -> Result:
    """One address makes accounts, as many as it can: their passwords are hashed only for the first ones."""
    result, wanted = Result(), 20 if target.quick else 300
    conn, room = target.stack.conn, 5 if target.quick else PLACES
    conn.execute(SIGNED_UP, [PLACES - room])
    with calls_of_others(target, result), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: sign_up(target, number), range(wanted)))
    made, refused = answers.count(201), answers.count(429)
    result.tried(f"{made} of {wanted} made an account", held=made == room and made + refused == wanted, times=wanted)
    return result
