"""app.month_state: the state of a month of one's own organization."""

from checks import executors
from closes import MONTH, close, month, state
from people import People


def test_members_see_the_state_of_their_own_month(people: People) -> None:
    month(people)
    close(people)
    assert (state(people, "dev")["state"], state(people, "eve")["state"]) == ("closed", "open")


def test_somebody_without_an_organization_gets_no_row(people: People) -> None:
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all("select * from app.month_state(%s)", MONTH) == []
    assert executors(people.conn, "month_state") == {"authenticated"}
