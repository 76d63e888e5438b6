"""Reading an operator's mapping: every problem found, each said in one sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping as JsonObject
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from provisioning.dialler.mapping import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
METHOD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
LIMITS = {"tariff", "channels", "services", "units", "active"}
# Our own login travels in these form fields; an argument of that name would replace it.
RESERVED = {"username", "password", "api_username", "api_password"}


class MappingError(ValueError):
    """The mapping cannot be used; `problems` are sentences for the operator."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


def merged(default: Any, data: Any, *, path: str, problems: list[str]) -> Any:
    """Return the dataclass `default` with the JSON object's values, appending to `problems`."""
    if not isinstance(data, JsonObject):
        problems.append(f"{path.rstrip('.') or 'The mapping'} must be an object.")
        return default
    kind: Any = type(default)
    hints = _hints(kind)
    problems += [f"There is no setting {path}{key}." for key in data if key not in hints]
    changes = {
        name: _value(getattr(default, name), hint, data[name], f"{path}{name}", problems)
        for name, hint in hints.items()
        if name in data
    }
    return replace(default, **changes)


@cache
def _hints(dataclass_: Any) -> dict[str, Any]:
    """Return the types of its fields; to evaluate them takes longer than all the rest."""
    return get_type_hints(dataclass_)


def _value(default: Any, hint: Any, given: Any, path: str, problems: list[str]) -> Any:
    if is_dataclass(default):
        return merged(default, given, path=f"{path}.", problems=problems)
    for wanted, accepts, convert in SHAPES:
        if wanted(hint):
            expectation = accepts(hint, given)
            if expectation is None:
                return convert(given)
            problems.append(f"{path} must be {expectation}.")
            return default
    raise TypeError(f"{path} has a type no mapping knows: {hint}.")


def _item(hint: Any) -> Any:
    """Return what a tuple type holds, None for other types."""
    origin: Any = get_origin(hint)
    return get_args(hint)[0] if origin is tuple else None


def _is_text_object(given: Any) -> bool:
    return isinstance(given, JsonObject) and all(isinstance(each, str) for each in given.values())


def _is_text_list(given: Any) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(each, str) for each in given)


def _one_of(hint: Any, given: Any) -> str | None:
    return None if given in get_args(hint) else " or ".join(get_args(hint))


# (applies to this type, what is expected if the given value does not fit, conversion)
SHAPES: tuple[tuple[Any, Any, Any], ...] = (
    (
        lambda hint: hint is bool,
        lambda _, g: None if isinstance(g, bool) else "true or false",
        bool,
    ),
    (lambda hint: hint is str, lambda _, g: None if isinstance(g, str) else "text", str),
    (
        lambda hint: _item(hint) is str,
        lambda _, g: None if _is_text_list(g) else "a list of texts",
        tuple,
    ),
    (
        lambda hint: _item(hint) is not None,
        lambda _, g: None if _is_text_object(g) else "an object of texts",
        lambda given: tuple(given.items()),
    ),
    (lambda hint: bool(get_args(hint)), _one_of, str),
)


def plain(value: Any) -> Any:
    """Return the dataclass as JSON: pairs become objects, names become lists."""
    if not is_dataclass(value):
        return value
    hints = get_type_hints(type(value))
    return {
        each.name: _plain(getattr(value, each.name), hints[each.name]) for each in fields(value)
    }


def _plain(value: Any, hint: Any) -> Any:
    if not isinstance(value, tuple):
        return plain(value)
    return list(value) if _item(hint) is str else dict(value)


def problems_of(mapping: Mapping) -> list[str]:
    """Return what is wrong with a mapping whose types are right."""
    return [
        *_malformed_names(mapping),
        *_reserved(mapping),
        *_unsupported(mapping),
        *_other(mapping),
    ]


def _malformed_names(mapping: Mapping) -> list[str]:
    methods = {f"methods.{key}": value for key, value in plain(mapping.methods).items()}
    methods["credit.method"] = mapping.credit.method
    called = ("list_method", "summary_method")
    methods |= {f"campaigns.{key}": getattr(mapping.campaigns, key) for key in called}
    names = {
        f"{part}.{key}": value
        for part in ("arguments", "fields", "units")
        for key, value in plain(getattr(mapping, part)).items()
    }
    names |= {f"credit.{key}": getattr(mapping.credit, key) for key in ("id_arg", "amount_arg")}
    shown = plain(mapping.campaigns).items()
    names |= {f"campaigns.{key}": value for key, value in shown if key not in called}
    lists = [("ids", each) for each in mapping.ids] + [("keep", each) for each in mapping.keep]
    return [
        f"{path} is not a method name: {value!r}."
        for path, value in methods.items()
        if value and not METHOD.fullmatch(value)
    ] + [
        f"{path} is not a name: {value!r}."
        for path, value in [*names.items(), *lists]
        if value and not NAME.fullmatch(value)
    ]


def _reserved(mapping: Mapping) -> list[str]:
    credit = mapping.credit
    sent = {
        "arguments.record": mapping.arguments.record,
        "arguments.id": mapping.arguments.id,
        "lookup.search_arg": mapping.lookup.search_arg,
        "lookup.value_arg": mapping.lookup.value_arg,
        "credit.id_arg": credit.id_arg,
        "credit.amount_arg": credit.amount_arg,
        "credit.reference_arg": credit.reference_arg,
        "campaigns.owner_arg": mapping.campaigns.owner_arg,
        "campaigns.id_arg": mapping.campaigns.id_arg,
    } | {f"credit.fixed_args.{key}": key for key, _ in credit.fixed_args}
    return [
        f"{path} must not be {value!r}: our own login travels under that name."
        for path, value in sent.items()
        if value in RESERVED
    ]


def _unsupported(mapping: Mapping) -> list[str]:
    """An operation is only `api` if the names it needs are there."""
    needed = {
        "create": {"methods.create": mapping.methods.create},
        "set_limits": {"methods.update": mapping.methods.update},
        "suspend": {
            "methods.update": mapping.methods.update,
            "fields.active": mapping.fields.active,
        },
        "set_password": {
            "methods.update": mapping.methods.update,
            "fields.password": mapping.fields.password,
        },
        "credit": {"credit.method": mapping.credit.method},
        "debit": {"credit.method": mapping.credit.method},
        "delete": {"methods.delete": mapping.methods.delete},
        "read_balance": {"fields.balance": mapping.fields.balance},
        "read_usage": {
            f"campaigns.{key}": getattr(mapping.campaigns, key)
            for key in ("list_method", "summary_method", "owner_arg", "id_arg", "id_key")
            + ("service_key", "count_key")
        },
    }
    return [
        f"capabilities.{operation} is api but {path} is empty."
        for operation, names in needed.items()
        if getattr(mapping.capabilities, operation) == "api"
        for path, value in names.items()
        if not value
    ]


def _other(mapping: Mapping) -> list[str]:
    problems = [
        f"write_only knows no {each!r}, only {', '.join(sorted(LIMITS))}."
        for each in mapping.write_only
        if each not in LIMITS
    ]
    if mapping.active.on == mapping.active.off:
        problems.append("active.on and active.off must differ.")
    if mapping.services.encoding == "list" and not mapping.services.key:
        problems.append("services.encoding is list but services.key is empty.")
    if not (mapping.ids and mapping.arguments.record and mapping.arguments.id):
        problems.append("ids, arguments.record and arguments.id must not be empty.")
    if not (mapping.methods.get and mapping.lookup.username_key and mapping.fields.username):
        problems.append("methods.get, lookup.username_key and fields.username must not be empty.")
    return problems
