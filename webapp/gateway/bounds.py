"""Bounds the calls that one gateway process runs at the same time: in all, for each key, and for each organization.

They protect the gateway, not a budget: nobody can take all of its connections. A call counts from just before it is
opened until the last byte of its answer was sent, so a stream counts while it runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from webapp.config import Config
from webapp.errors import ApiError
from webapp.gateway.refusals import CallFailed

REMEMBERED = 4096  # keys whose organization is remembered


class Bounds:
    """The calls under way in this process.

    connections: what the server accepts at most; calls take four fifths of them at most, so that other requests are
    answered too. Only the database knows the organization of a key. It is remembered, since it never changes: calls of
    a key that was used before are refused before they are opened.
    """

    def __init__(self, config: Config, connections: int) -> None:
        self.most = min(config.max_calls, connections * 4 // 5)
        self.most_of_key = config.max_calls_per_key
        self.most_of_organization = config.max_calls_per_organization
        self.running, self.keys, self.organizations = 0, Counter[bytes](), Counter[str]()
        self._organization_of: dict[bytes, str] = {}

    def enter(self, key_hash: bytes) -> Place:
        """Count a call that is about to be opened. Raises ApiError when too many are under way."""
        org_id = self._organization_of.get(key_hash)
        if self.running >= self.most:
            raise _too_many("This SpendAI")
        if self.keys[key_hash] >= self.most_of_key:
            raise _too_many("This key")
        if org_id and self.organizations[org_id] >= self.most_of_organization:
            raise _too_many("This organization")
        return Place(self, key_hash, org_id)

    def remember(self, key_hash: bytes, org_id: str) -> None:
        """Keep which organization a key belongs to."""
        if len(self._organization_of) >= REMEMBERED:
            del self._organization_of[next(iter(self._organization_of))]
        self._organization_of[key_hash] = org_id


class Place:
    """What one call under way counts for, until ``leave``."""

    def __init__(self, bounds: Bounds, key_hash: bytes, org_id: str | None) -> None:
        self._bounds, self._key_hash, self._org_id, self._left = bounds, key_hash, org_id, False
        bounds.running += 1
        bounds.keys[key_hash] += 1
        if org_id:
            bounds.organizations[org_id] += 1

    def opened(self, org_id: str) -> None:
        """Count the opened call for its organization too. Raises CallFailed when that has too many calls under way."""
        if self._org_id:
            return
        self._bounds.remember(self._key_hash, org_id)
        if self._bounds.organizations[org_id] >= self._bounds.most_of_organization:
            raise CallFailed("error", _too_many("This organization"))
        self._org_id = org_id
        self._bounds.organizations[org_id] += 1

    def leave(self) -> None:
        """The call has ended. Idempotent."""
        if self._left:
            return
        self._left = True
        self._bounds.running -= 1
        _less(self._bounds.keys, self._key_hash)
        if self._org_id:
            _less(self._bounds.organizations, self._org_id)

    def until_end(self, body: Iterator[bytes]) -> Iterator[bytes]:
        """The answer's body; the call leaves after its last byte, or when the iterator is closed."""
        try:
            yield from body
        finally:
            self.leave()


def _too_many(whose: str) -> ApiError:
    message = f"{whose} has too many calls under way at this gateway; nothing was sent to OpenAI"
    return ApiError(503, "too_many_calls", message)


def _less(counts: Counter, name: bytes | str) -> None:
    """Take one off; a name without calls goes, so that the counts hold only what runs now."""
    counts[name] -= 1
    if not counts[name]:
        del counts[name]
