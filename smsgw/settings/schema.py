"""The configuration's JSON Schema, for editors that complete and check YAML while one types."""

import ast
import inspect
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

from pydantic.json_schema import GenerateJsonSchema

from smsgw.service.hours import Hours
from smsgw.settings import carrier, model, transport
from smsgw.settings.section import Section
from smsgw.settings.types import Address, Duration, Percent

WRITTEN: Final = (Address, Duration, Hours, Percent, ZoneInfo)


class _Generator(GenerateJsonSchema):
    """Pydantic's, with defaults in the form that one would write in the file."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, WRITTEN):
            return str(dft)
        if isinstance(dft, Decimal):
            return float(dft)
        return {} if isinstance(dft, Section) else super().encode_default(dft)


def schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, with the model's docstrings as descriptions."""
    root = model.Settings.model_json_schema(schema_generator=_Generator)
    documented = _docstrings()
    for name, section in {"Settings": root, **root["$defs"]}.items():
        for key, value in section.get("properties", {}).items():
            value.pop("title", None)
            if (name, key) in documented:
                value["description"] = documented[name, key]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **root, "title": "smsgw"}


def _docstrings() -> dict[tuple[str, str], str]:
    """The string under each field of the model's classes, by class and field."""
    modules = (ast.parse(inspect.getsource(module)) for module in (model, carrier, transport))
    return {
        (section.name, field.target.id): doc.value.value
        for module in modules
        for section in module.body
        if isinstance(section, ast.ClassDef)
        for field, doc in pairwise(section.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }
