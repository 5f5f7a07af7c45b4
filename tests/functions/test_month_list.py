"""app.month_list: every month of OpenAI's books."""

from datetime import date

from checks import executors
from closes import close, fetched, month
from people import People


def test_months_with_books_are_listed_newest_first_and_only_ones_own(people: People) -> None:
    month(people)
    close(people)
    fetched(people, first=date(2026, 9, 1), count=3)
    for who in ("ada", "dev"):
        with people.as_(who):
            rows = people.all("select month, state from app.month_list()")
        assert [(row["month"], row["state"]) for row in rows] == [
            (date(2026, 10, 1), "closed"),
            (date(2026, 9, 1), "open"),
        ]
    with people.as_("eve"):
        assert people.all("select * from app.month_list()") == []
    assert executors(people.conn, "month_list") == {"authenticated"}
