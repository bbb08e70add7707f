"""Where the sandbox keeps its objects: plain dictionaries in memory, one collection per kind.

A collection remembers the order of creation (lists are newest first) and indexes the fields that lists are
filtered by, so that reconciling ten thousand payments does not read ten thousand payments each time.
`World` holds everything behind one lock; whoever reads or changes objects holds it.
"""

import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from stripe_sandbox.clock import Clock
from stripe_sandbox.errors import missing
from stripe_sandbox.eventlog import EventLog

Item = dict[str, Any]
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

# Per kind of object: the prefix of its ids and the fields that lists are filtered by.
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "checkout.session": ("cs_test", ("payment_intent", "subscription", "customer", "status")),
    "payment_intent": ("pi", ("customer",)),
    "payment_method": ("pm", ("customer",)),
    "charge": ("ch", ("payment_intent", "customer")),
    "refund": ("re", ("payment_intent", "charge")),
    "dispute": ("dp", ("payment_intent", "charge")),
    "radar.early_fraud_warning": ("issfr", ("payment_intent", "charge")),
    "balance_transaction": ("txn", ("source", "type")),
    "payout": ("po", ("status",)),
    "customer": ("cus", ("email",)),
    "product": ("prod", ()),
    "price": ("price", ("product",)),
    "subscription": ("sub", ("customer", "status")),
    "subscription_item": ("si", ("subscription",)),
    "invoice": ("in", ("customer", "status")),
    "invoice_payment": ("inpay", ("invoice",)),
    "billing_portal.session": ("bps", ()),
    "webhook_endpoint": ("we", ()),
}


class Collection:
    """All objects of one kind, in order of creation."""

    def __init__(self, kind: str, indexed: tuple[str, ...]) -> None:
        self.kind = kind
        self.items: dict[str, Item] = {}
        self.positions: dict[str, int] = {}
        self._indexed = indexed
        self._index: dict[tuple[str, Any], dict[str, None]] = defaultdict(dict)
        self._filed: dict[str, dict[str, Any]] = {}

    def save(self, item: Item) -> Item:
        """Keep the object, new or changed."""
        wanted = item["id"]
        self.items[wanted] = item
        self.positions.setdefault(wanted, len(self.positions))
        filed = self._filed.setdefault(wanted, {})
        for field in self._indexed:
            if field not in filed or filed[field] != item.get(field):
                self._index[field, filed.get(field)].pop(wanted, None)
                self._index[field, item.get(field)][wanted] = None
                filed[field] = item.get(field)
        return item

    def get(self, wanted: str, param: str = "id") -> Item:
        """Return one object.

        Raises:
            ApiError: nobody knows the id.
        """
        found = self.items.get(wanted)
        if found is None:
            raise missing(self.kind.split(".")[-1], wanted, param)
        return found

    def newest_first(self, **wanted: Any) -> Iterator[Item]:
        """Yield the objects whose fields equal what is wanted, the newest first."""
        by_index = [field for field in wanted if field in self._indexed]
        if by_index:
            ids = sorted(
                self._index[by_index[0], wanted[by_index[0]]], key=self.positions.__getitem__, reverse=True
            )
        else:
            ids = list(reversed(self.items))
        for key in ids:
            if all(self.items[key].get(field) == value for field, value in wanted.items()):
                yield self.items[key]


class World:
    """Everything the sandbox knows, behind one lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.events = EventLog()
        self.collections: dict[str, Collection] = {}
        # What belongs to an object but is never shown: the session's parameters, how a test card behaves.
        self.notes: dict[str, dict[str, Any]] = {}
        # The API request being answered, for the `request` of the events that it causes.
        self.request: dict[str, str | None] = {"id": None, "idempotency_key": None}
        self.origin = ""
        self.merchant = "Test merchant"
        self.on_event: Callable[[str, str, str], None] = lambda _event_id, _kind, _body: None
        self.changes = 0
        self.empty()

    def empty(self) -> None:
        """Forget every object, event and job."""
        self.collections = {kind: Collection(kind, indexed) for kind, (_, indexed) in KINDS.items()}
        self.notes.clear()
        self.events.empty()
        self.clock.forget()
        self.changes += 1

    def __getitem__(self, kind: str) -> Collection:
        return self.collections[kind]

    def save(self, item: Item) -> Item:
        """Keep an object in the collection of its kind."""
        self.changes += 1
        return self.collections[item["object"]].save(item)

    def note(self, item_id: str) -> dict[str, Any]:
        """Return the private notes about an object, to read or to change."""
        return self.notes.setdefault(item_id, {})

    def find(self, wanted: str) -> Item | None:
        """Return the object with this id, of whatever kind."""
        for collection in self.collections.values():
            if wanted in collection.items:
                return collection.items[wanted]
        return None


def new_id(prefix: str) -> str:
    """Return a fresh id, as long as Stripe's."""
    length = 58 if prefix == "cs_test" else 24
    number = int.from_bytes(secrets.token_bytes(length))
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return f"{prefix}_{''.join(letters)}"
