"""The configuration: a YAML file with positions in, frozen values out, every error at once."""

from smsgw.settings.loader import Loaded, examine, find, load
from smsgw.settings.problem import ConfigError, Problem
from smsgw.settings.schema import schema

__all__ = ["ConfigError", "Loaded", "Problem", "examine", "find", "load", "schema"]
