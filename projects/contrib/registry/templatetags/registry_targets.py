"""Where a label points, in words."""

from __future__ import annotations

from django import template

from projects.contrib.registry.targets import Target

register = template.Library()


@register.filter
def pointing(target: Target | None) -> str:
    """As in "v3" or, of a split, "v3 90 %, v4 10 %"; "nothing" where there is no label."""
    if target is None:
        return "nothing"
    if target.version is not None:
        return f"v{target.version}"
    whole = sum(weight for _, weight in target.weights)
    return ", ".join(f"v{version} {100 * weight / whole:.3g} %" for version, weight in target.weights)


@register.filter
def share_of(target: Target, version: int) -> str:
    """How much of a split a version gets, as in "90 %"."""
    whole = sum(weight for _, weight in target.weights)
    return f"{100 * dict(target.weights).get(version, 0) / whole:.3g} %"


@register.filter
def person(name: str) -> str:
    """Who acted, without the word that tells users from tokens."""
    return name.removeprefix("user ")
