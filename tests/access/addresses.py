"""Every address of the site with an example for each part of it that varies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.urls import URLResolver, get_resolver, reverse


@dataclass(frozen=True, slots=True)
class Address:
    """A pattern by the name that code uses for it, and one real path of it."""

    name: str
    path: str


def patterns() -> dict[str, set[str]]:
    """Walk the whole site, the desk included: what varies in each address, by its name.

    A pattern without a name cannot be linked to; the desk has some that only lead on.
    """
    return dict(_walk(get_resolver(), "", set()))


def _walk(resolver: URLResolver, space: str, outside: set[str]) -> Iterator[tuple[str, set[str]]]:
    for each in resolver.url_patterns:
        varies = outside | set(each.pattern.regex.groupindex)
        if isinstance(each, URLResolver):
            inner = f"{space}{each.namespace}:" if each.namespace else space
            yield from _walk(each, inner, varies)
        elif each.name:
            yield f"{space}{each.name}", varies


def addresses(examples: Mapping[str, Mapping[str, Any]]) -> list[Address]:
    """Return each address once, by name. What varies comes from `examples`: arguments for a name,
    and under `""` those that fit anywhere.
    """
    found = []
    for name, varies in sorted(patterns().items()):
        known = {**examples[""], **_desk(name), **examples.get(name, {})}
        found.append(Address(name, reverse(name, kwargs={each: known[each] for each in varies})))
    return found


def _desk(name: str) -> dict[str, Any]:
    """Return the row and the deed of a staff page: the first of its model, where there is one."""
    for model, page in admin.site._registry.items():
        if name.startswith(f"admin:{model._meta.label_lower.replace('.', '_')}_"):
            key = _first(model)
            deeds = getattr(page, "deeds", ())
            return {"object_id": key, "pk": key, "code": deeds[0].code if deeds else "none"}
    return {"object_id": 0}


def _first(model: type[Model]) -> Any:
    row = model._default_manager.order_by("pk").first()
    return row.pk if row else 0
