"""Print SpendAI's software bill of materials, CycloneDX 1.6 JSON: what requirements.lock installs, and plotly.js.

The same lock gives the same text: there is no time in it, and its serial number is made from the content.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PLOTLY = ROOT / "webapp/static/vendor/plotly-basic.min.js"
SPENDAI = "spendai"


def entries(lock: str) -> list[str]:
    """Each package of a lock file: its line, the lines of its hashes and the comment that says who needs it."""
    return re.findall(r"^[a-z0-9].*\n(?:[ ].*\n?)*", lock, re.M)


def python_package(entry: str) -> dict[str, Any]:
    """Component of one package. Hashes: one SHA-256 for each file that may be installed, wheels and source."""
    name, version, marker = re.match(r"([a-z0-9.-]+)==(\S+)(?: ; (.+?))? \\\n", entry).groups()
    purl = f"pkg:pypi/{name}@{version}"
    hashes = [{"alg": "SHA-256", "content": digest} for digest in re.findall(r"sha256:([0-9a-f]{64})", entry)]
    component = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl, "hashes": hashes}
    return component | ({"properties": [{"name": "spendai:installed-if", "value": marker}]} if marker else {})


def users(entry: str) -> list[str]:
    """Names of the packages that need this one; ``SPENDAI`` where requirements.txt names it."""
    words = re.findall(r"^ +# (?: +|via )(\S.*)$", entry, re.M)
    return [SPENDAI if word.startswith("-r ") else word for word in words]


def plotly() -> dict[str, Any]:
    """Component of the one vendored script."""
    content = PLOTLY.read_bytes()
    version = re.search(rb"minified\) v(\S+)", content)[1].decode()
    purl = f"pkg:npm/plotly.js-basic-dist-min@{version}"
    hashes = [{"alg": "SHA-256", "content": hashlib.sha256(content).hexdigest()}]
    names = {"bom-ref": purl, "name": "plotly.js-basic-dist-min", "version": version, "purl": purl}
    return {"type": "library", **names, "hashes": hashes, "licenses": [{"license": {"id": "MIT"}}]}


def bill(lock: str) -> dict[str, Any]:
    """The whole document: components, and which of them needs which."""
    packages = [(python_package(entry), users(entry)) for entry in entries(lock)]
    refs = [(SPENDAI, SPENDAI)] + [(package["name"], package["bom-ref"]) for package, _ in packages]
    script = plotly()
    needs = {ref: [package["bom-ref"] for package, by in packages if name in by] for name, ref in refs}
    needs[SPENDAI].append(script["bom-ref"])
    content = {
        "components": [*(package for package, _ in packages), script],
        "dependencies": [{"ref": ref, "dependsOn": needed} for ref, needed in needs.items()],
    }
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(content))
    application = {"type": "application", "bom-ref": SPENDAI, "name": SPENDAI}
    head = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": f"urn:uuid:{number}", "version": 1}
    return {**head, "metadata": {"component": application}, **content}


if __name__ == "__main__":
    print(json.dumps(bill((ROOT / "requirements.lock").read_text()), indent=2))
