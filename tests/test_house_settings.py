"""Every setting is read by something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from webapp.config import ROOT, SETTINGS

FILES = [*sorted((ROOT / "webapp").rglob("*.py")), ROOT / "gunicorn.conf.py"]


def is_config(node: ast.expr) -> bool:
    """Whether an expression is the Config: config, self.config, _config, app.config["SPENDAI"]."""
    return ast.unparse(node).endswith(("config", "['SPENDAI']"))


def read_in(tree: ast.AST) -> Iterator[str]:
    """Settings whose value is used; an assignment of a setting to itself, as for a default, is no use of it."""
    for node in ast.iter_child_nodes(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        yield from set(read_in(node)) - {part.attr.upper() for part in targets if isinstance(part, ast.Attribute)}
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and is_config(node.value):
            yield node.attr.upper()


def test_every_setting_is_read_by_something() -> None:
    read = {name for path in FILES for name in read_in(ast.parse(path.read_text()))}
    assert {s.name for s in SETTINGS} - read == set()
