"""What happens to each call, computed from its tag and the seed alone, so that upstream and comparison agree."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import NamedTuple

KINDS = {"good": 88, "reset": 2, "stall": 1, "cut": 3, "late": 2, "500": 2, "429": 2}  # late: cut after the usage
PRICE_IN, PRICE_OUT = Decimal("0.00000015"), Decimal("0.0000006")  # gpt-4o-mini, dollars a token


class Plan(NamedTuple):
    """kind: see KINDS; pause: seconds between pieces of a slow stream."""

    kind: str
    tokens_in: int
    tokens_out: int
    pause: float

    @property
    def cost(self) -> Decimal:
        """Dollars, worked out without the product."""
        return self.tokens_in * PRICE_IN + self.tokens_out * PRICE_OUT


def plan(seed: int, tag: str) -> Plan:
    """Tags that begin with "slow" belong to slow streams."""
    dice = random.Random(f"{seed}/{tag}")
    kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
    pause = dice.uniform(0.02, 0.15) if tag.startswith("slow") else 0.0
    return Plan(kind, dice.randint(1, 9999), dice.randint(1, 999), pause)
