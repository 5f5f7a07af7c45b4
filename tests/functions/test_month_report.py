"""app.month_report: the ledger's spend of a month, live or as frozen."""

from checks import executors
from closes import MONTH, month
from people import People


def test_members_read_the_report_of_their_own_organization(people: People) -> None:
    month(people)
    for who, costs in (("ada", ["0.15"]), ("dev", ["0.15"]), ("eve", [])):
        with people.as_(who):
            report = people.one("select app.month_report(%s) as r", MONTH)["r"]
        assert [row["cost"] for row in report["model"]] == costs
    people.sign_up("lone", "lone@nowhere.test")
    with people.as_("lone"):
        assert people.one("select app.month_report(%s) as r", MONTH)["r"] is None
    assert executors(people.conn, "month_report") == {"authenticated"}
