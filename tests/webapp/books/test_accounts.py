"""The visible end of a key, as OpenAI shows keys."""

from __future__ import annotations

import pytest

from webapp.books.accounts import ending


@pytest.mark.parametrize(("shown", "end"), [
    ("sk-proj-****…****excA", "excA"), ("sk-abc...def", "def"), ("sk-proj-********a-_Z", "a-_Z"), ("sk-****", ""),
    ("", ""), (None, ""), (7, ""), ("sk-proj-0123456789abcdefWXYZ", "WXYZ"), ("sk-…é", ""),
])  # fmt: skip
def test_it_is_what_follows_the_mask_and_never_more_than_four(shown: object, end: str) -> None:
    assert ending(shown) == end
