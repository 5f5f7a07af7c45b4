"""app.login_succeeded: the right password makes earlier wrong ones forgotten, for that account and address only."""

ADA, DEV = b"a" * 32, b"d" * 32


def test_failures_of_this_account_from_this_address_are_forgotten(people):
    with people.as_role("spendai_auth"):
        for account, address in ((ADA, "192.0.2.1"), (ADA, "192.0.2.2"), (DEV, "192.0.2.1")):
            for _ in range(20):
                people.one("select app.login_attempt(%s, %s)", account, address)
        people.one("select app.login_succeeded(%s, '192.0.2.1')", ADA)
        again = "select app.login_attempt(%s, %s) as seconds"
        assert people.one(again, ADA, "192.0.2.1")["seconds"] == 0
        assert people.one(again, ADA, "192.0.2.2")["seconds"] > 0
        assert people.one(again, DEV, "192.0.2.1")["seconds"] > 0
