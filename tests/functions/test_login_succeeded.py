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


def test_an_address_is_remembered_once_for_90_days(people):
    with people.as_role("spendai_auth"):
        people.one("select app.login_succeeded(%s, '192.0.2.1')", DEV)
    people.conn.execute("update private.login_places set at = at - interval '90 days 1 second'")
    with people.as_role("spendai_auth"):
        for _ in range(2):
            people.one("select app.login_succeeded(%s, '192.0.2.1')", ADA)
    rows = people.all("select account_hash, address, now() - at < interval '1 hour' as fresh from private.login_places")
    assert rows == [{"account_hash": ADA, "address": "192.0.2.1", "fresh": True}]
