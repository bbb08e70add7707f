"""Rules for making a Checkout session that the types do not carry: what must come together, what excludes what."""

import time
from typing import Any

from stripe_sandbox.errors import invalid
from stripe_sandbox.money import THREE_DECIMAL
from stripe_sandbox.resources.metadata import check_amount, check_limits, check_url, supported
from stripe_sandbox.store import World

LEAST_LIFE_SECONDS = 30 * 60
LONGEST_LIFE_SECONDS = 24 * 3600
# A request takes its time: a bound computed a moment ago still holds.
GRACE_SECONDS = 10
_SUPPORTED = (
    *("adaptive_pricing", "allowed_payment_method_types", "billing_address_collection", "branding_settings"),
    *("cancel_url", "client_reference_id", "currency", "custom_text", "customer", "customer_creation"),
    *("customer_email", "customer_update", "excluded_payment_method_types", "expires_at"),
    *(
        "integration_identifier",
        "line_items",
        "locale",
        "metadata",
        "mode",
        "origin_context",
        "payment_intent_data",
    ),
    *(
        "payment_method_collection",
        "payment_method_options",
        "submit_type",
        "subscription_data",
        "success_url",
    ),
    *("ui_mode", "wallet_options"),
)
_SUPPORTED_INTENT_DATA = (
    *("description", "metadata", "receipt_email", "setup_future_usage", "statement_descriptor"),
    "statement_descriptor_suffix",
)
_SUPPORTED_SUBSCRIPTION_DATA = ("description", "metadata", "trial_end", "trial_period_days")
_ONLY_IN = {
    "payment_intent_data": ("payment",),
    "customer_creation": ("payment",),
    "invoice_creation": ("payment",),
    "subscription_data": ("subscription",),
    "setup_intent_data": ("setup",),
}


def check_session(world: World, params: dict[str, Any]) -> None:
    """Refuse what the service would refuse.

    Raises:
        ApiError: naming the parameter at fault.
    """
    check_limits(params)
    mode = params.get("mode")
    if "return_url" in params:
        raise invalid("You can not pass `return_url` when `ui_mode` is `hosted_page`.", "return_url")
    if mode is None:
        raise invalid(
            "You must provide a `mode`: `payment`, `setup` or `subscription`.", "mode", "parameter_missing"
        )
    if mode == "setup":
        raise invalid("The sandbox has no setup mode.", "mode")
    for name, modes in _ONLY_IN.items():
        if name in params and mode not in modes:
            raise invalid(f"You can not pass `{name}` in `{mode}` mode.", name)
    supported(params, _SUPPORTED)
    supported(params.get("payment_intent_data", {}), _SUPPORTED_INTENT_DATA, "payment_intent_data")
    supported(params.get("subscription_data", {}), _SUPPORTED_SUBSCRIPTION_DATA, "subscription_data")
    _check_addresses(params)
    _check_customer(world, params)
    _check_expiry(params)
    _check_lines(params, mode)
    _check_texts(params)


def _check_addresses(params: dict[str, Any]) -> None:
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("The sandbox has hosted pages only.", "ui_mode")
    if "success_url" not in params:
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    for name in ("success_url", "cancel_url"):
        if name in params:
            check_url(params[name].replace("{CHECKOUT_SESSION_ID}", "x"), name)


def _check_customer(world: World, params: dict[str, Any]) -> None:
    if "customer" in params:
        world["customer"].get(params["customer"], "customer")
        for name in ("customer_email", "customer_creation"):
            if name in params:
                raise invalid(f"You may only specify one of these parameters: customer, {name}.", name)
    elif "customer_update" in params:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")


def _check_expiry(params: dict[str, Any]) -> None:
    """Check the bounds on the caller's clock, which the sandbox's own advancing clock does not move."""
    if "expires_at" not in params:
        return
    ahead = params["expires_at"] - int(time.time())
    if not LEAST_LIFE_SECONDS - GRACE_SECONDS <= ahead <= LONGEST_LIFE_SECONDS + GRACE_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes and less than 24 hours from Checkout Session creation.",
            "expires_at",
        )


def _check_lines(params: dict[str, Any], mode: str) -> None:
    lines = params.get("line_items", [])
    if not lines:
        raise invalid("Missing required param: line_items.", "line_items", "parameter_missing")
    if len(lines) > (100 if mode == "payment" else 20):
        raise invalid("Too many line items were given.", "line_items")
    for index, line in enumerate(lines):
        path = f"line_items[{index}]"
        if ("price" in line) == ("price_data" in line):
            raise invalid("You must specify either `price` or `price_data`, and not both.", path)
        if "price_data" in line:
            check_price_data(line["price_data"], f"{path}[price_data]", needs_name=True)
            if mode == "payment" and "recurring" in line["price_data"]:
                raise invalid(
                    "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or "
                    "use only one-time prices.",
                    path,
                )
        if line.get("quantity", 0) < 1:
            raise invalid("Quantity is required. Add `quantity` to your line item.", f"{path}[quantity]")
    recurring = [line for line in lines if "recurring" in line.get("price_data", {}) or "price" in line]
    if mode == "subscription" and not recurring:
        raise invalid("You must provide at least one recurring price in `subscription` mode.", "line_items")
    currencies = {line["price_data"]["currency"].lower() for line in lines if "price_data" in line}
    if len(currencies) > 1:
        raise invalid("All line items must have the same currency.", "line_items")


def check_price_data(data: dict[str, Any], path: str, *, needs_name: bool = False) -> None:
    """Refuse an inline price that lacks its product or its amount, or whose amount cannot be charged."""
    if ("product" in data) == ("product_data" in data) and needs_name:
        raise invalid(
            "You must specify either `product` or `product_data`, and not both.", path, "parameter_missing"
        )
    if "unit_amount" not in data:
        if "unit_amount_decimal" in data:
            raise invalid(
                "The sandbox takes whole minor units only: use `unit_amount`.", f"{path}[unit_amount_decimal]"
            )
        raise invalid("You must specify `unit_amount` or `unit_amount_decimal`.", path, "parameter_missing")
    if data["unit_amount"] < 0:
        raise invalid(
            "This value must be greater than or equal to 0.",
            f"{path}[unit_amount]",
            "parameter_invalid_integer",
        )
    if data["currency"].lower() in THREE_DECIMAL and data["unit_amount"] % 10:
        raise invalid(
            "Invalid amount: in currencies of three decimal places the last digit must be 0.",
            f"{path}[unit_amount]",
        )
    if data["currency"].lower() == "isk" and data["unit_amount"] % 100:
        raise invalid("Invalid amount: amounts in isk must be divisible by 100.", f"{path}[unit_amount]")


def check_total(total_minor: int, currency: str) -> None:
    """Refuse a sum that cannot be charged; nothing at all may be due."""
    if total_minor:
        check_amount(total_minor, currency, "line_items")


def _check_texts(params: dict[str, Any]) -> None:
    intent_data = params.get("payment_intent_data", {})
    if "statement_descriptor" in intent_data:
        raise invalid(
            "The `statement_descriptor` parameter is not supported for card charges. Use `statement_descriptor_suffix` "
            "instead.",
            "payment_intent_data[statement_descriptor]",
        )
    suffix = intent_data.get("statement_descriptor_suffix", "X")
    if any(letter in "<>\\'\"*" for letter in suffix) or not any(letter.isalpha() for letter in suffix):
        raise invalid(
            "The statement descriptor suffix must contain a letter and none of < > \\ ' \" *.",
            "payment_intent_data[statement_descriptor_suffix]",
        )
    if params.get("submit_type") == "subscribe" and params["mode"] == "payment":
        raise invalid("`submit_type` may be `subscribe` only in `subscription` mode.", "submit_type")
