"""docs/endpoints.md, written from the table of operations: ``python -m webapp.gateway.endpoints``."""

from __future__ import annotations

from itertools import groupby

from webapp.config import ROOT
from webapp.gateway.routes import ROUTES, Route

PAGE = ROOT / "docs" / "endpoints.md"
FORWARDED = {"always": "always", "own_key": "own key", "never": "never"}
INTRODUCTION = """\
# Endpoints

Every operation of OpenAI's API, and what SpendAI does with it. Written by `python -m webapp.gateway.endpoints` from
`webapp/gateway/endpoints.tsv`; what is not in the table is refused with 403 `endpoint_not_allowed`.

**Forwarded.** *always*: with any OpenAI key. *own key*: the operation makes or uses something that stays at OpenAI,
so it passes only with an OpenAI key that no other organization of this install uses: one that the organization (or
its project) brought, or the install's own while `OPENAI_API_KEY_SHARED` is off. Then OpenAI itself keeps
organizations apart. On a shared key it is 403 `needs_own_openai_key`: nothing is sent, and no row is written. Two
keys of one OpenAI account count as two: keep one account to one organization. Agents need such a key too: OpenAI
reports their usage as an estimate only, and only the bill of that key tells what they cost. The sandbox keeps nothing
and answers 404 `not_in_sandbox`. *never*: administration of the OpenAI account, and sessions that go around SpendAI.

**Metered.** The cost status a call gets when all goes well. `priced`: by the usage in its answer. `free`: whatever
only reads, changes, stops, deletes or uploads; HEAD like GET. `no_usage`: OpenAI bills it by other measures than the
call (storage of vector stores, runs, training) or reports an estimate only (agents). `pending_object`: the call that
made a batch or video is priced once, by the first GET that finds it ended, alone or in a list; so is a response that
was made with `background`, also when its stream is resumed. A batch of which no request ran is `free`.

**Audio without usage.** Whisper bills whole seconds. Where its answer has neither `usage` nor `duration` (`json`,
`text`, `srt`, `vtt`), the header of the uploaded file counts if it states the length exactly: WAV (PCM, float, A-law,
µ-law) and FLAC. Of other files the cost is not known (`no_usage`); the beginning of the last cue of `srt` and `vtt`
gives a bound, shown as "at least". `tts-1` and `tts-1-hd` bill the characters of `input`. The binary speech of other
models bills tokens that OpenAI does not report: the row keeps the characters, and the cost is not known. With
`stream_format: "sse"` it is.

**Stays at OpenAI.** The kind of object that the id in the answer names. With a key of its own the ledger notes which
call of which project made it: a response unless `store` is false, a chat completion when `store` is true.

## On a shared key

Operations that are always forwarded must not name an object that stays at OpenAI either. These fields are refused with
403 `needs_own_openai_key`, and the field as `param`, wherever in the JSON they stand:

- `background`, `conversation`, `previous_response_id`, and every other name that ends in `_id` or `_ids` with a text
  in it (`file_id`, `vector_store_ids`, `container_id`, `skill_id`, …); but not `call_id`, `tool_call_id`,
  `caller_id`, `approval_request_id`, `connector_id`, the members of `metadata`, and the names of properties in a JSON
  schema
- a `container` given as a text; `prompt`, `voice` and `audio` objects with an `id`
- items that are nothing but an id: item references; messages without content, images without their `result`,
  reasoning without `encrypted_content` (ask for it with `include`); any other item with nothing beside its `id`,
  `type`, `status` and `role`
- form fields of such names, and a text where a file belongs. A form is read while it is sent: sending ends at that
  field, and its row is `error`, cost 0

Names are compared in lower case. A JSON object with the same key twice is 400 `duplicate_keys`, a body that cannot be
read 400 `unreadable_body`.

What is shared with a key: every organization can list and use the models that were fine-tuned in its account. OpenAI
caches the beginnings of prompts by account, so `cached_tokens` above 0 for a prompt that an organization never sent
before tells it that another one sent a prompt with the same beginning (of 1,024 tokens or more). All of them share the
account's rate limits: a 429 tells that others are busy.

## On the wire

Method, path, query, headers, status and bytes pass as they are, both ways, and nothing is retried or redirected. The
exceptions:

- SpendAI adds `stream_options.include_usage` to a streamed chat or text completion without it, and leaves the one event
  with the usage out of what the client sees.
- The request loses `Authorization` (replaced), `Host`, `Cookie`, `Forwarded`, `X-Forwarded-*`, `Expect`,
  `OpenAI-Organization`, `OpenAI-Project`, `x-spendai-*`, hop-by-hop headers and those that `Connection` names; also
  what tells where the client is: `Referer`, `Origin`, `Via`, `X-Real-IP`, `X-Client-IP`, `True-Client-IP`, `CF-*`
  and the like.
  `Accept-Encoding` keeps gzip, deflate and identity. Headers that come twice arrive joined by a comma, names with `_`
  not at all.
- The answer loses hop-by-hop headers, trailers, `Set-Cookie`, `Strict-Transport-Security`, `Alt-Svc`, `Server` and
  `Date`, and gains `x-spendai-call-id`.
- On a shared key the request keeps only what OpenAI's SDKs send: `Content-Type`, `Accept`, `Accept-Encoding`,
  `Accept-Language`, `User-Agent`, `OpenAI-Beta`, `X-Client-Request-Id`, `X-Stainless-*`, and `Idempotency-Key`, which
  is replaced by a hash of itself and the organization's id. The answer also loses `x-ratelimit-*`,
  `openai-organization` and `openai-project`, which tell of the account and of what the other organizations use.
- An id in a path is one segment of letters, digits and `-._~:@!$&'()*+,=`; others percent-encoded. An encoded
  slash, backslash, dot, percent sign or control character is refused. WebSockets are 501 `websocket_not_supported`.

## Operations
"""


def render() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for family, routes in groupby(ROUTES, key=lambda route: route.path.split("/")[1]):
        lines = "\n".join(_line(route) for route in routes)
        head = "| Operation | Forwarded | Metered | Stays at OpenAI |\n|---|---|---|---|"
        parts.append(f"### {family}\n\n{head}\n{lines}\n")
    return "\n".join(parts)


def _line(route: Route) -> str:
    metered = f"`{route.metered}`" if route.metered else "–"
    return f"| `{route.method} {route.path}` | {FORWARDED[route.forwarded]} | {metered} | {route.makes or '–'} |"


if __name__ == "__main__":
    PAGE.write_text(render())
