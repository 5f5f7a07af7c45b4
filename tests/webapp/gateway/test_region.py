"""The region of a call: what stands before .api.openai.com in the host that it is sent to."""

from __future__ import annotations

import pytest

from webapp.gateway.region import region_of


@pytest.mark.parametrize("region", ["us", "eu", "au", "in", "jp", "ae", "gov"])
def test_each_host_of_openais_regions_names_its_region(region: str) -> None:
    assert region_of(f"https://{region}.api.openai.com/v1") == region


@pytest.mark.parametrize("url", [
    "https://EU.Api.OpenAI.com/v1", "https://eu.api.openai.com:443/v1", "https://eu.api.openai.com./v1",
    "http://eu.api.openai.com", "https://someone:secret@eu.api.openai.com/v1", "https://us@eu.api.openai.com/v1",
])  # fmt: skip
def test_case_port_user_name_and_final_dot_do_not_hide_the_region(url: str) -> None:
    assert region_of(url) == "eu"


@pytest.mark.parametrize(("url", "region"), [("https://mars.api.openai.com/v1", "mars"),
    ("https://eu-2.api.openai.com/v1", "eu-2"), ("https://a.eu.api.openai.com/v1", "a.eu")])  # fmt: skip
def test_a_region_that_nobody_knows_keeps_its_own_name_instead_of_being_taken_for_none(url: str, region: str) -> None:
    assert region_of(url) == region


@pytest.mark.parametrize("url", [
    "https://api.openai.com/v1", "https://API.OPENAI.COM:443/v1", "http://127.0.0.1:9000/eu.api.openai.com",
    "https://eu.api.openai.com.evil.test/v1", "https://eu.api.openai.com@evil.test/v1", "https://[::1]:8000/v1",
    "https://euapi.openai.com/v1", "https://eu.openai.com/v1", "https://eu.api.openai.com:x@evil.test/v1",
    "https://openai.azure.com/openai/v1",
])  # fmt: skip
def test_the_usual_host_and_those_of_others_have_no_region(url: str) -> None:
    assert region_of(url) is None
