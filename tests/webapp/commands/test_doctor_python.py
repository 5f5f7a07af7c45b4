"""`flask doctor`: its line about the Python that runs SpendAI."""

from __future__ import annotations

import sysconfig

import pytest

from webapp.commands import doctor, doctor_python

PYENV = {"CONFIG_ARGS": "'--prefix=/opt/python' '--enable-shared'", "PGO_PROF_USE_FLAG": "-fprofile-use"}
OFFICIAL = {"CONFIG_ARGS": "'--enable-optimizations' '--with-lto'", "PGO_PROF_USE_FLAG": "-fprofile-use"}


@pytest.mark.parametrize(
    ("told", "status"), [(PYENV, "warn"), (OFFICIAL, "ok"), ({"CONFIG_ARGS": "x"}, "ok"), ({}, "ok")]
)
def test_a_python_without_optimization_is_named(
    monkeypatch: pytest.MonkeyPatch, told: dict[str, str], status: str
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", told.get)
    (line,) = doctor_python.python(None, None)
    assert line.status == status and line.text.startswith("Python 3.")
    assert doctor_python.python in doctor.CHECKS
