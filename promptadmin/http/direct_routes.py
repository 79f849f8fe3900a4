"""Addresses without parameters, found at once: Django tries one pattern after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from django.urls import ResolverMatch, URLPattern, URLResolver
from django.urls.resolvers import RoutePattern


class DirectResolver(URLResolver):
    """Resolves as Django does, which is asked once for each address that has no parameters."""

    def resolve(self, path: str) -> ResolverMatch:
        """What answers at the address. Raises Resolver404."""
        return self._direct.get(path) or super().resolve(path)

    @cached_property
    def _direct(self) -> Mapping[str, ResolverMatch]:
        routes = (
            str(pattern.pattern)
            for pattern in self.url_patterns
            if isinstance(pattern, URLPattern)
            and isinstance(pattern.pattern, RoutePattern)
            and not pattern.pattern.converters
        )
        return {
            path: super(DirectResolver, self).resolve(path) for path in (f"{self.pattern}{route}" for route in routes)
        }
