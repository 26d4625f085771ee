"""The API's description, made true: the problems that every request can meet, and the carriers
that there are."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI

from smsgw.doors.api.fields import CARRIERS
from smsgw.doors.api.gate import PREFIX
from smsgw.settings.model import Settings
from smsgw.web.problem import PROBLEM, Problem

# What the gate, or FastAPI, may answer to any request, and to one with a body.
_ALWAYS: Final = (401, 403, 422, 429, 503)
_WITH_BODY: Final = (400, 408, 413, 415)

_SCHEMES: Final = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A partner's key, as `smsgw keys add` printed it.",
    }
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides what it is for."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def describe(app: FastAPI, settings: Settings) -> None:
    """Have `app` describe itself so."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(plain(), settings)
        return plain()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _complete(schema: dict[str, Any], settings: Settings) -> None:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs") | {"Problem": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = _SCHEMES
    for path, operations in schema["paths"].items():
        if path.startswith(PREFIX):
            for operation in operations.values():
                _add_problems(operation)
                operation["security"] = [{"key": []}]
    for carrier in _nodes(schema):
        if carrier.pop(CARRIERS, False):
            carrier["enum"] = list(settings.carriers)


def _add_problems(operation: dict[str, Any]) -> None:
    statuses = _ALWAYS + (_WITH_BODY if "requestBody" in operation else ())
    for status in statuses:
        operation["responses"][str(status)] = _problem(status)


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from _nodes(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _nodes(inner)
