"""Addresses without parameters are found at once, and what is found is what Django finds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, URLResolver, get_resolver, path
from django.urls.resolvers import RoutePattern

from promptadmin.http.direct_routes import DirectResolver
from promptadmin.urls import api, urlpatterns


def make_view(name: str) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, **parameters: str) -> HttpResponse:
        return HttpResponse(name)

    return view


PATTERNS = [
    path("things", make_view("all")),
    path("things/<key>", make_view("one")),
    path("things/new", make_view("never: the one before takes it")),
    path("", make_view("root")),
]
PLAIN = URLResolver(RoutePattern("x/"), PATTERNS, app_name="a", namespace="n")
DIRECT = DirectResolver(RoutePattern("x/"), PATTERNS, app_name="a", namespace="n")


@pytest.mark.parametrize("address", ["x/things", "x/things/7", "x/things/new", "x/"])
def test_finds_what_django_finds(address: str) -> None:
    """Also where a pattern with a parameter comes before one that says the same without."""
    found, expected = DIRECT.resolve(address), PLAIN.resolve(address)
    assert repr(found) == repr(expected)
    assert found.func is expected.func
    assert repr(DIRECT.resolve(address)) == repr(expected)


@pytest.mark.parametrize("address", ["x/nothing", "y/things", "things", "x/things/7/8", ""])
def test_finds_nothing_else(address: str) -> None:
    """What Django doesn't know is not known."""
    with pytest.raises(Resolver404):
        DIRECT.resolve(address)


def test_every_address_of_the_api_without_parameters_is_found_by_the_whole_site() -> None:
    """As by the API's own patterns, one after the other; at both places where the API answers."""
    directs = [pattern for pattern in urlpatterns if isinstance(pattern, DirectResolver)]
    assert [str(direct.pattern) for direct in directs] == ["api/apps/promptforge/", "api/"]
    for direct in directs:
        plain = URLResolver(direct.pattern, api.urls[0], app_name=direct.app_name, namespace=direct.namespace)
        assert len(direct._direct) > 10
        for address in direct._direct:
            assert repr(direct.resolve(address)) == repr(plain.resolve(address))
            assert get_resolver().resolve(f"/{address}").func is direct._direct[address].func
