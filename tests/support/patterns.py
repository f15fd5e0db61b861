"""Every regular expression of a package, found in its source, and hostile texts for each."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from re import _parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

_CALLS = {"compile", "match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}
_CATEGORIES = {"CATEGORY_DIGIT": "7", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "w"}
_MOST = 6  # characters of one expression to try in pairs
# The position of the inner expressions in an operation.
_WITHIN = {"IN": None, "ATOMIC_GROUP": None, "ASSERT": 1, "ASSERT_NOT": 1, "MAX_REPEAT": 2, "MIN_REPEAT": 2}
_WITHIN |= {"POSSESSIVE_REPEAT": 2, "SUBPATTERN": 3}
_END = "\x01"  # a character that no expression expects, so that none matches


@dataclass(frozen=True)
class Found:
    """An expression and its place. `fault`: why it could not be parsed."""

    where: str
    pattern: re.Pattern[str] | None
    fault: str = ""


@cache
def patterns_of(*packages: str) -> tuple[Found, ...]:
    """All expressions that are passed to `re`, by any function."""
    return tuple(found for module in _modules(*packages) for found in _in_module(module))


def _modules(*packages: str) -> Iterator[ModuleType]:
    for package in packages:
        for info in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if ".migrations." not in info.name:
                yield importlib.import_module(info.name)


def _in_module(module: ModuleType) -> Iterator[Found]:
    for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            yield _read(module, node)


def _read(module: ModuleType, call: ast.Call) -> Found:
    where = f"{module.__name__}:{call.lineno}"
    flags = call.args[1:2] if isinstance(call.func, ast.Attribute) and call.func.attr == "compile" else []
    try:
        given = [eval(ast.unparse(one), dict(vars(module))) for one in [call.args[0], *flags]]
        return Found(where, re.compile(*given))
    except Exception as problem:
        return Found(where, None, f"{ast.unparse(call.args[0])}: {type(problem).__name__}")


def hostile(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Long texts of the characters in an expression, one and two of them repeated, before an unexpected end."""
    signs = list(dict.fromkeys(_signs(_parser.parse(pattern.pattern, pattern.flags))))[:_MOST]
    for one, other in product(signs, signs):
        yield (one + other) * (length // 2) + _END
        yield one * (length // 2) + other * (length // 2) + _END


def _signs(parsed: Any) -> Iterator[str]:
    """A character for each position of an expression."""
    for operation, value in parsed:
        match str(operation):
            case "LITERAL":
                yield chr(value)
            case "ANY" | "NOT_LITERAL" | "NEGATE":
                yield "x"
            case "RANGE":
                yield from map(chr, value)
            case "CATEGORY":
                yield _CATEGORIES.get(str(value), "x")
            case "BRANCH":
                yield from (sign for branch in value[1] for sign in _signs(branch))
            case name if name in _WITHIN:
                yield from _signs(value[_WITHIN[name]] if _WITHIN[name] is not None else value)
