"""Products and prices, made beforehand or inline (`price_data`)."""

from typing import Any

from stripe.params import (
    PriceCreateParams,
    PriceListParams,
    PriceRetrieveParams,
    ProductCreateParams,
    ProductListParams,
    ProductRetrieveParams,
)

from stripe_sandbox import listing
from stripe_sandbox.resources.metadata import check_limits, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import emit, new
from stripe_sandbox.store import Item, World

_PRICE = (
    "currency",
    "metadata",
    "nickname",
    "product",
    "product_data",
    "recurring",
    "tax_behavior",
    "unit_amount",
)


def inline_price(world: World, data: dict[str, Any]) -> Item:
    """Return the price that `price_data` describes, made on the spot; its product likewise, or the named one."""
    if "product" in data:
        product = world["product"].get(data["product"], "product")
    else:
        product = _new_product(world, data["product_data"], active=False)
    return _new_price(world, data, product["id"], active=False)


def _new_product(world: World, data: dict[str, Any], *, active: bool) -> Item:
    return world.save(
        new(
            world,
            "product",
            active=active,
            description=data.get("description"),
            images=data.get("images", []),
            marketing_features=[],
            metadata=data.get("metadata", {}),
            name=data["name"],
            type="service",
            updated=world.clock.now(),
        )
    )


def _new_price(world: World, data: dict[str, Any], product_id: str, *, active: bool) -> Item:
    recurring = data.get("recurring")
    if recurring:
        recurring = {
            "interval_count": 1,
            "meter": None,
            "trial_period_days": None,
            "usage_type": "licensed",
        } | recurring
    amount_minor = data["unit_amount"]
    return world.save(
        new(
            world,
            "price",
            active=active,
            billing_scheme="per_unit",
            currency=data["currency"].lower(),
            metadata=data.get("metadata", {}),
            nickname=data.get("nickname"),
            product=product_id,
            recurring=recurring,
            tax_behavior=data.get("tax_behavior", "unspecified"),
            type="recurring" if recurring else "one_time",
            unit_amount=amount_minor,
            unit_amount_decimal=str(amount_minor),
        )
    )


@route("POST", "/v1/products", ProductCreateParams)
def create_product(world: World, params: dict[str, Any]) -> Item:
    """Make a product."""
    check_limits(params)
    supported(params, ("active", "description", "images", "metadata", "name"))
    product = _new_product(world, params, active=params.get("active", True))
    emit(world, "product.created", product)
    return product


@route("GET", "/v1/products", ProductListParams)
def list_products(world: World, params: dict[str, Any]) -> Item:
    """List products."""
    return listing.of_kind(world, "product", "/v1/products", params, active=params.get("active"))


@route("GET", "/v1/products/{id}", ProductRetrieveParams)
def retrieve_product(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one product."""
    return world["product"].get(wanted)


@route("POST", "/v1/prices", PriceCreateParams)
def create_price(world: World, params: dict[str, Any]) -> Item:
    """Make a price."""
    check_limits(params)
    supported(params, _PRICE)
    if "product" not in params:
        product_id = _new_product(world, params["product_data"], active=True)["id"]
    else:
        product_id = world["product"].get(params["product"], "product")["id"]
    price = _new_price(world, {"unit_amount": 0} | params, product_id, active=True)
    emit(world, "price.created", price)
    return price


@route("GET", "/v1/prices", PriceListParams)
def list_prices(world: World, params: dict[str, Any]) -> Item:
    """List prices."""
    wanted = {name: params.get(name) for name in ("active", "product", "currency", "type")}
    return listing.of_kind(world, "price", "/v1/prices", params, **wanted)


@route("GET", "/v1/prices/{id}", PriceRetrieveParams)
def retrieve_price(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one price."""
    return world["price"].get(wanted)
