"""The lock files have what the lists of requirements ask for, with hashes; the bill of materials has what is locked."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from webapp.config import ROOT

LISTS = {
    "requirements.txt": "requirements.lock",
    "requirements-dev.txt": "requirements-dev.lock",
    ".ci/lock-tools.txt": ".ci/lock-tools.lock",
    ".ci/clients/main.txt": ".ci/clients/main.lock",
    ".ci/clients/older.txt": ".ci/clients/older.lock",
    ".ci/clients/aider.txt": ".ci/clients/aider.lock",
}
HASH = re.compile(r" --hash=sha256:[0-9a-f]{64}(?= |$)")
AGAIN = "run `make lock`"


def listed(name: str) -> list[Requirement]:
    """Requirements that a list names, with those of the lists it includes."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    included = [line.removeprefix("-r ") for line in lines if line.startswith("-r ")]
    own = [Requirement(line) for line in lines if line and not line.startswith("-")]
    return own + [requirement for other in included for requirement in listed(other)]


def locked(name: str) -> list[tuple[Requirement, int]]:
    """Requirements of a lock file, each with the number of its hashes. Whatever is neither fails to parse."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.M).replace("\\\n", "")
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return [(Requirement(HASH.sub("", line)), len(HASH.findall(line))) for line in lines]


def version(requirement: Requirement) -> str:
    """The one version that a pinned requirement allows."""
    [pin] = requirement.specifier
    assert pin.operator == "==" and "*" not in pin.version, f"{requirement} is not pinned"
    return pin.version


@pytest.mark.parametrize("name", LISTS)
def test_every_listed_version_is_in_the_lock(name: str) -> None:
    pins = {(requirement.name, version(requirement)) for requirement, _ in locked(LISTS[name])}
    wanted = {(canonicalize_name(requirement.name), version(requirement)) for requirement in listed(name)}
    assert wanted
    assert wanted - pins == set(), f"{LISTS[name]} is older than {name}: {AGAIN}"


@pytest.mark.parametrize("name", LISTS)
def test_every_package_that_the_lock_calls_listed_is_in_the_list(name: str) -> None:
    """A package taken from a list leaves the lock only with the next `make lock`."""
    entries = re.findall(
        r"^([a-z0-9.-]+)==.*\n(?:    --hash.*\n)*((?:    #.*\n)*)", (ROOT / LISTS[name]).read_text(), re.M
    )
    said = {package for package, reasons in entries if re.search(r"-r \S+\.txt", reasons)}
    assert said == {canonicalize_name(requirement.name) for requirement in listed(name)}, AGAIN


@pytest.mark.parametrize("name", LISTS.values())
def test_every_package_of_a_lock_has_one_version_for_each_system_and_hashes(name: str) -> None:
    entries = locked(name)
    assert [str(requirement) for requirement, hashes in entries if not hashes] == []
    for python in ("3.11.0", "3.12.0", "3.13.0", "3.14.0"):
        for system in ("linux", "darwin"):
            taken = [r.name for r, _ in entries if applies(r.marker, python, system)]
            assert sorted(set(taken)) == sorted(taken)
    assert [version(requirement) for requirement, _ in entries if requirement.url] == []


def applies(marker: Marker | None, python: str, system: str) -> bool:
    """Whether a locked package is installed with this CPython on this system (``sys_platform``)."""
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python, "sys_platform": system}
    return marker is None or marker.evaluate(environment)


def test_the_lock_for_tests_has_the_versions_that_run() -> None:
    files = ("requirements.lock", "requirements-dev.lock")
    run, dev = ({(package.name, version(package), hashes) for package, hashes in locked(name)} for name in files)
    assert run - dev == set(), AGAIN


@pytest.mark.parametrize("name", LISTS.values())
def test_no_lock_names_an_index_or_a_folder(name: str) -> None:
    assert re.findall(r"https?:|file:|--\S*index|find-links|(?<![\w.])/\S*", (ROOT / name).read_text()) == []


def test_what_is_installed_here_fits_together() -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_bill_of_materials_lists_every_locked_package_and_who_needs_it() -> None:
    first, again = (subprocess.check_output([sys.executable, ROOT / ".ci/sbom.py"]) for _ in range(2))
    assert first == again
    bill = json.loads(first)
    components = {component["bom-ref"]: component for component in bill["components"]}
    script = {ref for ref in components if ref.startswith("pkg:npm/plotly")}
    expected = {
        f"pkg:pypi/{requirement.name}@{version(requirement)}": n for requirement, n in locked("requirements.lock")
    }
    assert {ref: len(component["hashes"]) for ref, component in components.items()} == expected | dict.fromkeys(
        script, 1
    )
    needs = {entry["ref"]: set(entry["dependsOn"]) for entry in bill["dependencies"]}
    named = {f"pkg:pypi/{canonicalize_name(r.name)}@{version(r)}" for r in listed("requirements.txt")}
    assert needs["spendai"] == named | script
    assert set().union(*needs.values()) == set(components), "each component is needed by something"
    assert {"werkzeug", "jinja2", "click"} <= {
        components[ref]["name"] for ref in needs["pkg:pypi/flask@" + at(named, "flask")]
    }


def at(refs: set[str], name: str) -> str:
    """Version of a package among package URLs."""
    [found] = [ref.partition("@")[2] for ref in refs if ref.startswith(f"pkg:pypi/{name}@")]
    return found


@pytest.mark.parametrize("tool", ["axe", "postgrest", "advisors"])
def test_what_npm_brings_for_the_tests_is_locked_with_hashes(tool: str) -> None:
    folder = ROOT / ".ci/npm" / tool
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert {name: packages[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert [name for name, entry in packages.items() if not entry["integrity"].startswith("sha512-")] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == [], "no address of a registry"
    assert f"cp .ci/npm/{tool}/*.json" in (ROOT / ".ci" / tool).read_text()
