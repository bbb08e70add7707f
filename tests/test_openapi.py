"""docs/openapi.yaml against what is there: every public address described, and every answer as described.

Schemathesis draws requests from the description, good ones and bad ones, and holds each answer against it. Every
second request is about an appeal and a gift that exist, with a fresh token and a signature that fits, so that it
gets past the first "no". A run that fails prints the request as a curl line; its seed is SEED.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks as conformance

from appeal.rates import Rates
from tests.gateways import FakeGateway
from tests.making import SLUG, form, open_appeal, received, signature
from tests.support.run import ROOT

SEED = 4711
DESCRIPTION = ROOT / "docs" / "openapi.yaml"
# What is for people at their own pages or for staff, and for browsers alone.
NOT_DESCRIBED = ("/staff", "/giving", "/static/")
HELD = [
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_headers_conformance,
    conformance.response_schema_conformance,
]
Addresses = set[tuple[str, str]]


def described() -> Any:
    """Read the description."""
    return schemathesis.openapi.from_path(DESCRIPTION)


def test_the_description_names_exactly_the_public_addresses(make_app: Any, sqlite_url: str) -> None:
    there: Addresses = set()
    for rule in make_app(sqlite_url).url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        if not path.startswith(NOT_DESCRIBED):
            there |= {(method, path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    said = {
        (method.upper(), path)
        for path, item in described().raw_schema["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert said == there


def test_the_description_is_one() -> None:
    described().validate()


def test_the_documents_lead_to_the_description() -> None:
    for name in ("README.md", "docs/interface.md"):
        assert "openapi.yaml" in (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.soak
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.name.lower())
def test_every_answer_is_one_that_the_description_knows(
    app: Flask, mode: GenerationMode, scaled: Any
) -> None:
    print(f"seed {SEED}")
    app.extensions["appeal.gateway"] = FakeGateway()
    with app.app_context():
        gift = received(open_appeal())
        known = {"slug": SLUG, "public_id": gift.public_id}
    schema = described()
    schema.app = app
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        if mode is GenerationMode.POSITIVE or _asks_for_something(operation):
            _ask(app, operation, mode, known, most=scaled(12, 1_000))


def _asks_for_something(operation: Any) -> bool:
    """Say whether there is anything to get wrong."""
    return any((operation.path_parameters, operation.query, operation.headers, operation.body))


def _ask(app: Flask, operation: Any, mode: GenerationMode, known: dict[str, str], *, most: int) -> None:
    @seed(SEED)
    @settings(
        max_examples=most,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), at_home=st.booleans())
    def hold(case: Case, at_home: bool) -> None:
        if at_home:
            _bring_home(app, case, known)
        app.extensions["appeal.rates"] = Rates()  # nobody has sent a form yet
        answer = case.call()
        assert answer.status_code < 500 or _may_be(case, answer), f"seed {SEED}\n{case.as_curl_command()}"
        if answer.status_code != 405:
            case.validate_response(answer, checks=HELD)

    hold()


def _may_be(case: Case, answer: Response) -> bool:
    """Allow the one 5xx that is an answer: oEmbed's to another format."""
    return case.path == "/oembed" and answer.status_code == 501


def _bring_home(app: Flask, case: Case, known: dict[str, str]) -> None:
    """Ask about what exists, with a token and a signature that are good."""
    for name in case.path_parameters or {}:
        if name in known:
            case.path_parameters[name] = known[name]
    special: Callable[[Flask, Case], None] | None = SPECIAL.get(case.path)
    if special is not None:
        special(app, case)


def _with_token(app: Flask, case: Case) -> None:
    if isinstance(case.body, dict):
        case.body["csrf_token"] = form(app)["csrf_token"]


def _with_signature(_app: Flask, case: Case) -> None:
    # The transport writes the same bytes: this is how it writes JSON.
    body = json.dumps(case.body).encode() if isinstance(case.body, dict | list) else b""
    case.headers["Stripe-Signature"] = signature(body)


def _with_own_address(_app: Flask, case: Case) -> None:
    case.query["url"] = f"http://127.0.0.1:8000/appeals/{SLUG}"


SPECIAL: dict[str, Callable[[Flask, Case], None]] = {
    "/appeals/{slug}/donations": _with_token,
    "/webhooks/stripe": _with_signature,
    "/oembed": _with_own_address,
}
