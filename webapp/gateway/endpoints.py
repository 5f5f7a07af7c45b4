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
organizations apart. On a shared key it is 403 `needs_own_openai_key`: nothing is sent, and no row is written. One
exception: what an organization made before another one stored the same key stays within its reach. It reads, cancels
and deletes these objects by the id in the path (of the files of a batch only the output file, while the cost of the
batch depends on it), so that a batch or a background response is still priced. Two keys of one OpenAI account count
as two: keep one account to one organization. Agents need such a key too: OpenAI reports their usage as an estimate
only, and only the bill of that key tells what they cost. The sandbox keeps nothing and answers 404 `not_in_sandbox`.
*never*: administration of the OpenAI account, and sessions that go around SpendAI.

**Metered.** The cost status a call gets when all goes well. `priced`: by the usage in its answer. `free`: whatever
only reads, changes, stops, deletes or uploads; HEAD like GET. `no_usage`: OpenAI bills it by other measures than the
call (storage of vector stores, runs, training) or reports an estimate only (agents). `pending_object`: the call that
made a batch or video is priced once, by the first GET that finds it ended, alone or in a list; so is a response that
was made with `background`, also when its stream is resumed. A response that broke off before its usage came
(`no_usage`) is priced, too, when the program fetches it later with an OpenAI key of its organization's own. A batch of
which no request ran is `free`.

**Batches.** OpenAI's sum for a batch does not always tell what its requests cost: which had a long context, and which
tokens of image models were images. So the cost of a batch for `/v1/images`, and of one whose requests have more input
tokens together than a long context begins with, is not known until its output file is downloaded through SpendAI,
whole and with a key of the same organization: its lines have the usage of each request. Until then what its tokens
cost as text in short contexts is shown as "at least". The file also tells the tools that responses used (searches,
containers, images), which are in no sum of OpenAI's: the cost of any other batch is that of its tokens.

**Containers.** Code interpreter and hosted shell are billed by the container, in sessions of 20 minutes. Of the
responses that run in one container, the first has the session, and so has the first that begins 20 minutes or more
after that one. `POST /containers` has the session of what it makes; a response that names a container has none. OpenAI
bills sessions that it calls eligible by the minute since June 2026, 5 minutes at least. No answer tells which sessions
these are and how long they took, so a container may cost down to a quarter of what is shown.

**Audio without usage.** Whisper bills whole seconds. Where its answer has neither `usage` nor `duration` (`json`,
`text`, `srt`, `vtt`), the header of the uploaded file counts if it states the length exactly: WAV (PCM, float, A-law,
µ-law) and FLAC. Of other files the cost is not known (`no_usage`); the beginning of the last cue of `srt` and `vtt`
gives a bound, shown as "at least". `tts-1` and `tts-1-hd` bill the characters of `input`. The binary speech of other
models bills tokens that OpenAI does not report: the row keeps the characters, and the cost is not known. With
`stream_format: "sse"` it is.

**What no answer tells.** The cost of a call is not known where its price depends on one of these: which of two search
tools made a search (`web_search` and `web_search_preview`, with models for which they cost differently), and which of
two image models drew. Cached tokens that an answer does not split by kind are taken for text.

**Stays at OpenAI.** The kind of object that the id in the answer names. With a key of its own the ledger notes which
call of which project made it: a response unless `store` is false, a chat completion when `store` is true.

## On a shared key

Operations that are always forwarded must not name an object that stays at OpenAI either. These fields are refused with
403 `needs_own_openai_key`, and the field as `param`, wherever in the JSON they stand:

- `background`, `conversation`, `previous_response_id`, and every other name that ends in `_id` or `_ids` with a text
  in it (`file_id`, `vector_store_ids`, `container_id`, `skill_id`, …); but not `call_id`, `tool_call_id`,
  `caller_id`, `approval_request_id`, `connector_id`, and not what is in an object of the client's own words:
  `metadata`, `client_metadata`, `request_metadata`, Codex's `internal_chat_message_metadata_passthrough`, JSON schemas
  (`parameters`, `schema`, `input_schema`, `output_schema`, `item_schema`), `arguments`, `data`, `headers`, `env`,
  `attributes`, `state_variables`, `logit_bias`, `error`, and texts among the `variables` of a prompt
- a `container` given as a text; `prompt`, `voice` and `audio` objects with an `id`
- items that are nothing but an id: item references; messages without content, images without their `result`,
  reasoning without `encrypted_content`; any other item with nothing beside its `id`, `type`, `status` and `role`.
  Clients send them from the second turn on; with `include: ["reasoning.encrypted_content"]` and `store: false` they
  send the items themselves
- form fields of such names, and a text where a file belongs. A form is read while it is sent: sending ends at that
  field, and its row is `error`, cost 0

Names are compared in lower case. A JSON object with the same key twice is 400 `duplicate_keys`, a body that cannot be
read 400 `unreadable_body`.

What is shared with a key: every organization can list and use the models that were fine-tuned in its account. OpenAI
caches the beginnings of prompts by account, so `cached_tokens` above 0 for a prompt that an organization never sent
before tells it that another one sent a prompt with the same beginning (of 1,024 tokens or more). All of them share the
account's rate limits: a 429 tells that others are busy.

## On the wire

Method, path, query, headers, status and bytes pass as they are, both ways. Nothing is redirected, and nothing that may
have been billed is sent again. The exceptions:

- SpendAI adds `stream_options.include_usage` to a streamed chat or text completion without it (also where the client
  wrote `false` or null), and takes out of the answer what comes only because of that: the event with the usage, and
  `"usage":null` in the other events.
- An upstream that answers such a call 400 or 422 and names that field is asked once more, with the client's own bytes,
  before the client gets anything. For ten minutes it is not asked for usage again (per worker, organization, base URL
  and model). Unless its answer has usage all the same, the cost of the call is unknown (`no_usage`); newer versions
  of most model servers know the field.
- What an answer to a streamed call is, is decided by its first bytes where they contradict its label: an event stream
  labelled as JSON, as text or not at all is metered as a stream, and JSON labelled as a stream as JSON. The label
  itself passes. A successful answer to a call that SpendAI asked for usage has no `Content-Length`.
- The `[DONE]` of a stream that had no usage so far waits for the end of the body, at most 2 seconds, since some servers
  send usage after it. Of several usage objects in one stream the largest counts; parts and details are put together.
  If the stream breaks off, a count that was still running is not a cost (`no_usage`).
- A request that a kept connection never received is sent once more on a new one, see
  [reliability.md](reliability.md#connections-that-were-closed).
- The request loses `Authorization` (replaced), `Host`, `Cookie`, `Forwarded`, `X-Forwarded-*`, `Expect`,
  `OpenAI-Organization`, `OpenAI-Project`, `x-spendai-*`, hop-by-hop headers and those that `Connection` names; also
  what tells where the client is: `Referer`, `Origin`, `Via`, `X-Real-IP`, `X-Client-IP`, `True-Client-IP`, `CF-*`
  and the like.
  `Accept-Encoding` keeps gzip, deflate and identity. Headers that come twice arrive joined by a comma, names with `_`
  not at all.
- The answer loses hop-by-hop headers, trailers, `Set-Cookie`, `Strict-Transport-Security`, `Alt-Svc`, `Server` and
  `Date`, and gains `x-spendai-call-id`, and `x-spendai-warning` if tags were left out. `x-spendai-*` of another SpendAI
  behind this one is replaced.
- On a shared key the request keeps only what OpenAI's SDKs send: `Content-Type`, `Accept`, `Accept-Encoding`,
  `Accept-Language`, `User-Agent`, `OpenAI-Beta`, `X-Client-Request-Id`, `X-Stainless-*`, and `Idempotency-Key`, which
  is replaced by a hash of itself and the organization's id. The answer also loses `x-ratelimit-*`,
  `openai-organization` and `openai-project`, which tell of the account and of what the other organizations use.
- An id in a path is one segment of letters, digits and `-._~:@!$&'()*+,=`; others percent-encoded. An encoded
  slash, backslash, dot, percent sign or control character is refused.
- Clients join base URL and path differently, and all of this reaches the same operation below `/api/v1/proxy`: a
  leading `/v1`, doubled slashes before OpenAI's path, a slash at its end, and a request line that holds the whole URL
  (RFC 9112, 3.2.2). So do Azure's addresses: `/openai/v1/…`, and `/openai/deployments/{name}/…`, whose name becomes
  the `model` of a JSON body that names none (a form must name its own); `deployment=` in the query of a Realtime
  session becomes `model=`. The key may come in the header `api-key`. Neither that header nor the query parameter
  `api-version` is sent on.
- A call that comes to another path of this host than `/api/v1/proxy` is 404 `wrong_base_url` with the right base URL.
- To a browser (a request with `Origin`) the answer's `Access-Control-*` are SpendAI's own; see `CORS` in
  [configuration.md](configuration.md).

## WebSocket

| Path | A call is | Forwarded |
|---|---|---|
| `/responses` | each response, also one that OpenAI begins after steering, and one with `generate: false` | yes |
| `/realtime`, also `?intent=transcription` | each response, and each transcript, at the model that made it | yes |
| `/realtime?call_id=…` | the same; what several connections are told is booked once | not on a shared key |
| `/realtime/translations` | the session: its seconds of input | yes |
| `/live/sessions` | the session: its seconds; and each response and decision that it delegates | yes |
| `/live/sessions/{session_id}/fork` | the same | not on a shared key |
| `/live/sessions/{session_id}/attach` | its seconds are told to the connection that began the session | never |

Frames pass as they come, both ways, also binary and fragmented ones, up to `WEBSOCKET_MESSAGE_BYTES`. A row is written
before the message that asks for a response goes to OpenAI, and settled before the message that ends it goes to the
client; where that cannot be, the client gets an `error` message and nothing is sent. The proxy key stands in
`Authorization`, or in the subprotocol `openai-insecure-api-key.<key>`, as browsers send it; it never goes to OpenAI. No
compression is negotiated. The answer to the upgrade carries `x-spendai-session-id`: the session is a row of the view
`sessions`.

What OpenAI begins by itself has a row from its beginning on: a response to a voice, and a transcript once its audio is
committed (or, where the model begins earlier, once its first words are told). When the client leaves, OpenAI has
`DRAIN_SECONDS` to end it; of what it does not end the cost is not known (`no_usage`). A transcript that failed before
its first word is an `error` and costs 0.

On a shared key each message is checked like a request; a response of the same session may be continued. The event
`rate_limits.updated` is not passed on, as the headers `x-ratelimit-*` are not. WebRTC, SIP and client secrets (`ek_…`)
are refused: their media and events go around a proxy, so nobody would know what they cost. An upgrade of any other path
is 426 `websocket_not_supported`, so that clients go on with HTTP at once.

## Tags

The header `x-spendai-tags` says what a call was for. Spend can be seen by tag, and calls be filtered by it. Two forms:

```
x-spendai-tags: team=search, env=prod
x-spendai-tags: {"team": "search", "env": "prod", "run": 17}
```

In an OpenAI SDK: `default_headers={"x-spendai-tags": "team=search"}` for a client, `extra_headers=…` for one call. A
call has up to 16 tags; names and values are text (UTF-8) of up to 64 characters. A value in the first form holds no
comma; a `=` in a name is left out. What is left out or shortened is said, with the reason, in the header
`x-spendai-warning` of the answer and on the call's page; the call is sent all the same.

`metadata` of a request becomes tags too, in JSON bodies and forms, when an admin switches that on for a project: on
its page, with `PATCH /api/v1/projects/{id}` and `{"metadata_tags": true}`, or in SQL with
`select app.project_update(id, null, null, true)`. It is off at first, because metadata may hold private words, and then
metadata is not kept anywhere. A tag of the header wins over one of the same name in `metadata`. Tags from `metadata`
are stored when the call is settled: a call in doubt has only those of the header.

## End users

`safety_identifier` of a request, in a JSON body or a form, is the end user of the call; without it the older `user` is.
Spend can be seen by end user, and calls be filtered by it. It is text, of which the first 256 characters are kept. It
goes to OpenAI as it came and stays in the ledger: send a number or a hash, not an e-mail address.

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
