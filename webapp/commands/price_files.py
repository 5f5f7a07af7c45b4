"""Finds the data of genai-prices and litellm: in an installed package, in a file, or in a wheel that pip downloads.

Nothing of a source is imported or executed: the one data file in it is read, also out of a wheel (a zip archive).
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from webapp.commands import price_genai, price_litellm
from webapp.commands.price_source import Source, SourceError

__all__ = ["MEMBERS", "SourceError", "find"]

# Package → its data file below the folder in which packages are installed.
MEMBERS = {
    price_genai.PACKAGE: "genai_prices/data.py",
    price_litellm.PACKAGE: "litellm/model_prices_and_context_window_backup.json",
}
LARGEST = 100 << 20  # bytes of a data file: thirty times today's, and far below what a hostile archive could unpack to
FETCH_SECONDS = 300
NAME_LENGTH = 90  # characters of a source's name: two of them are kept in one column of 200


def find(files: Iterable[Path], fetch: bool) -> list[Source]:
    """The sources in these files; with fetch, the newest wheel of each package that no file is of. Without both, the
    installed packages. genai-prices comes first. Raises SourceError."""
    found: dict[str, Source] = {}
    for path in files:
        source = from_file(path)
        if found.setdefault(_package(source), source) is not source:
            raise SourceError(f"{path} is a second file of {_package(source)}")
    if fetch:
        found |= {_package(source): source for source in fetched([name for name in MEMBERS if name not in found])}
    elif not found:
        found = {_package(source): source for source in installed()}
    if not found:
        raise SourceError("no source of prices is installed: use --fetch, or name a file with --file")
    return [found[package] for package in MEMBERS if package in found]


def _package(source: Source) -> str:
    return source.name.split(" ")[0]


def from_file(path: Path) -> Source:
    """Prices in a wheel, a data.json, a data.py or a cost map, told apart by what is in it. Raises SourceError."""
    if path.suffix == ".whl":
        return _from_wheel(path)
    try:
        if path.stat().st_size > LARGEST:
            raise SourceError(f"{path} is larger than {LARGEST >> 20} MB")
        return _read(path.name, path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None


def _from_wheel(path: Path) -> Source:
    try:
        with zipfile.ZipFile(path) as wheel:
            member = next((name for name in MEMBERS.values() if name in wheel.namelist()), None)
            if member is None or wheel.getinfo(member).file_size > LARGEST:
                raise SourceError(f"{path} is no wheel of {' or '.join(MEMBERS)}")
            return _read(path.name.split("-")[1], wheel.read(member), f"{path}, {member}")
    except (OSError, zipfile.BadZipFile, IndexError, NotImplementedError, RuntimeError) as error:
        raise SourceError(f"{path} cannot be read as a wheel: {error}") from None


def installed() -> list[Source]:
    """Prices of the packages that are installed, found without importing them."""
    found = []
    for package, member in MEMBERS.items():
        try:
            release, spec = version(package), importlib.util.find_spec(member.split("/")[0])
        except (PackageNotFoundError, ValueError):
            continue
        for folder in (spec.submodule_search_locations or []) if spec else []:
            path = Path(folder).parent / member
            found.append(_read(release, path.read_bytes(), str(path)))
    return found


def fetched(packages: list[str]) -> list[Source]:
    """Prices in the newest wheels of these packages, downloaded by pip into a folder that is removed afterwards."""
    if not packages:
        return []
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", folder, *packages]
        try:
            done = subprocess.run(  # noqa: S603  (the words of the command are constants of this module)
                command, capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise SourceError(f"pip took longer than {FETCH_SECONDS} s to download {', '.join(packages)}") from None
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise SourceError(f"pip cannot download {', '.join(packages)}: {why}")
        return [from_file(path) for path in sorted(Path(folder).glob("*.whl"))]


def _read(label: str, data: bytes, where: str) -> Source:
    """The source in a file's content. label: version of the package, or the file's name."""
    try:
        text = data.decode("utf-8")
        parsed = price_genai.providers_of(text) if where.endswith(".py") else _json(text)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise SourceError(f"{where} is not JSON: {error}") from None
    reader = price_litellm if isinstance(parsed, dict) and _is_cost_map(parsed) else price_genai
    return reader.read(f"{reader.PACKAGE} {_clean(label)}"[:NAME_LENGTH], parsed)


def _clean(label: str) -> str:
    return re.sub(r"[^\w.+-]", "_", label)


def _is_cost_map(parsed: dict[str, Any]) -> bool:
    return any(isinstance(fields, dict) and "litellm_provider" in fields for fields in parsed.values())


def _json(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not a number")
