"""Monthly gifts: standing promises, renewed by the clock."""
from typing import Any
from stripe_sandbox.store import Item, World


def fail_next(world: World, subscription_id: str, decline: str, times: int) -> None: ...
def zero_invoice(world: World, subscription_id: str) -> Item: return {}
def start(world: World, session: Item, method: Item, intent: Item | None) -> None: ...
