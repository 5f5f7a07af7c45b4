"""Every page there is, as name → address; {…} is filled in from what the organization has."""

from __future__ import annotations

SIGNED_OUT = {
    "login": "/login", "signup": "/signup", "invitation-gone": "/invitation/nonsense", "password": "/password/nonsense",
}  # fmt: skip
SIGNED_IN = {
    "spend": "/", "spend-all": "/?all=1", "spend-model-sorted": "/?by=model&sort=-calls",
    "spend-key-all": "/?by=key&all=1",
    "spend-tag": "/?by=tag", "spend-end-user": "/?by=end_user&period=7",
    "spend-weeks": "/?from={quarter}&to={tomorrow}",
    "spend-today": "/?period=today", "spend-nothing": "/?from=2020-01-01&to=2020-02-01",
    "spend-filtered": "/?status=error&tag=team&model={model}",
    "projects": "/projects", "project": "/projects/{project}", "keys": "/keys", "calls": "/calls",
    "calls-dearest": "/calls?sort=cost", "calls-nothing": "/calls?model=none", "call": "/calls/{call}",
    "prices": "/prices", "prices-found": "/prices?q=gpt-5", "price-history": "/prices/{model}", "team": "/team",
    "member": "/team/{member}", "settings": "/settings", "account": "/account", "not-found": "/nowhere",
}  # fmt: skip
ADMINS_ONLY = {
    "archive": "/projects/{project}/archive", "rotate": "/keys/{key}/rotate", "revoke": "/keys/{key}/revoke",
    "remove": "/team/{member}/remove", "audit": "/audit", "price-add": "/prices?model={model}",
}  # fmt: skip
