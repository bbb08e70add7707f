"""Customers and their payment methods."""

from typing import Any

from stripe.params import (
    CustomerCreateParams,
    CustomerListParams,
    CustomerModifyParams,
    CustomerRetrieveParams,
    PaymentMethodListParams,
    PaymentMethodRetrieveParams,
)

from stripe_sandbox import listing
from stripe_sandbox.resources.metadata import check_limits, merged, supported
from stripe_sandbox.routing import route
from stripe_sandbox.shapes import change, emit, new
from stripe_sandbox.store import Item, World

_OWN = ("description", "email", "name", "phone")


def new_customer(world: World, email: str | None, name: str | None, **values: Any) -> Item:
    """Make a customer and tell of it."""
    customer = new(world, "customer", email=email, name=name, balance=0, delinquent=False)
    customer |= {
        "invoice_prefix": customer["id"][-8:].upper(),
        "invoice_settings": dict.fromkeys(
            ("custom_fields", "default_payment_method", "footer", "rendering_options")
        ),
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
    } | values
    world.save(customer)
    emit(world, "customer.created", customer)
    return customer


def attach(world: World, customer_id: str, method: Item) -> None:
    """Keep a payment method for the customer, and use it from now on."""
    method["customer"] = customer_id
    world.save(method)
    emit(world, "payment_method.attached", method)
    customer = world["customer"].get(customer_id)
    settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
    change(world, "customer.updated", customer, invoice_settings=settings)


@route("POST", "/v1/customers", CustomerCreateParams)
def create_customer(world: World, params: dict[str, Any]) -> Item:
    """Make a customer."""
    check_limits(params)
    supported(params, (*_OWN, "metadata"))
    own = {name: params.get(name) for name in ("description", "phone")}
    return new_customer(
        world, params.get("email"), params.get("name"), metadata=merged({}, params.get("metadata")), **own
    )


@route("GET", "/v1/customers", CustomerListParams)
def list_customers(world: World, params: dict[str, Any]) -> Item:
    """List customers."""
    return listing.of_kind(world, "customer", "/v1/customers", params, email=params.get("email"))


@route("GET", "/v1/customers/{id}", CustomerRetrieveParams)
def retrieve_customer(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one customer."""
    return world["customer"].get(wanted)


@route("POST", "/v1/customers/{id}", CustomerModifyParams)
def update_customer(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Change a customer; an empty text empties the field."""
    check_limits(params)
    supported(params, (*_OWN, "metadata"))
    customer = world["customer"].get(wanted)
    own = {name: params[name] or None for name in _OWN if name in params}
    change(
        world,
        "customer.updated",
        customer,
        metadata=merged(customer["metadata"], params.get("metadata")),
        **own,
    )
    return customer


@route("GET", "/v1/payment_methods", PaymentMethodListParams)
def list_methods(world: World, params: dict[str, Any]) -> Item:
    """List payment methods."""
    wanted = {name: params.get(name) for name in ("customer", "type")}
    return listing.of_kind(world, "payment_method", "/v1/payment_methods", params, **wanted)


@route("GET", "/v1/payment_methods/{id}", PaymentMethodRetrieveParams)
def retrieve_method(world: World, wanted: str, params: dict[str, Any]) -> Item:
    """Return one payment method."""
    return world["payment_method"].get(wanted)
