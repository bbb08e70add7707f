"""One module per noun of Stripe's: what the API can do with it, and what it does by itself.

Importing this package fills the table of addresses, the jobs and the links between the nouns.
"""

from importlib import import_module

_NOUNS = (
    *(
        "balance",
        "billing",
        "catalogue",
        "customers",
        "disputes",
        "events",
        "invoices",
        "payments",
        "payouts",
    ),
    *("portal", "refunds", "sessions", "subscriptions", "webhook_endpoints"),
)


def load() -> None:
    """Import every noun."""
    for noun in _NOUNS:
        import_module(f"{__name__}.{noun}")
