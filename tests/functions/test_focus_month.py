"""app.focus_month: charges of one's own organization."""

from checks import executors
from closes import MONTH, month
from people import People


def test_members_see_the_charges_of_their_own_organization(people: People) -> None:
    month(people)
    for who, count in (("ada", 1), ("dev", 1), ("eve", 0)):
        with people.as_(who):
            assert len(people.all("select * from app.focus_month(%s)", MONTH)) == count
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.all("select * from app.focus_month(%s)", MONTH) == []
    assert executors(people.conn, "focus_month") == {"authenticated"}
