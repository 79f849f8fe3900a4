"""Hosts, origins and networks in settings, and addresses in `X-Forwarded-For`."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory, override_settings
from django.urls import get_resolver

from promptadmin.conf.network_names import OWN_WORDS, host, network, origin, path_prefix
from promptadmin.http.client_address import client_address, read_address


@pytest.mark.parametrize(
    "text", ["https://a.example", "a.example:8443", "a.example/x", "*.a.example", "::1", "ä.example", "a b", "[x]"]
)
def test_hosts_that_can_never_work_are_refused(text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"X: .*use the form"):
        host("X", text)


def test_hosts() -> None:
    for text in ("a.example", ".a.example", "10.0.0.1", "[::1]", "localhost", "*", "a_b"):
        assert host("X", text) == text
    assert host("X", "A.Example.") == "a.example"


def test_origins() -> None:
    assert origin("X", "https://A.example:443/") == "https://a.example"
    assert origin("X", "http://a.example:8080/") == "http://a.example:8080"
    assert origin("X", "https://*.a.example", wildcard=True) == "https://*.a.example"
    for text in ("a.example", "https://a.example/x", "ftp://a.example", "https://", "null", "https://u@a.example"):
        with pytest.raises(ImproperlyConfigured, match=r"X: .*use the form"):
            origin("X", text)


def test_networks() -> None:
    assert network("X", "10.1.2.3/8") == "10.0.0.0/8"
    for text in ("proxy.example", "10.0.0.1:80", "10.0.0.0/33"):
        with pytest.raises(ImproperlyConfigured, match=r"X: .*use the form"):
            network("X", text)


def test_path_prefixes() -> None:
    for text, prefix in {
        "": "",
        "/": "",
        "/prompts": "/prompts",
        "/prompts/": "/prompts",
        "/a.b/~c-d_1": "/a.b/~c-d_1",
    }.items():
        assert path_prefix("X", text) == prefix
    for text in ("prompts", "https://a.example/prompts", "/a//b", "/..", "/a/.", "/ä", "/a b", "/a%2Fb", "/a?b", "//a"):
        with pytest.raises(ImproperlyConfigured, match=r"X=.*use the form /prompts"):
            path_prefix("X", text)
    for text in ("/admin", "/api/prompts", "/static/"):
        with pytest.raises(ImproperlyConfigured, match=r"X=.*promptadmin's own addresses begin with"):
            path_prefix("X", text)


def test_no_prefix_is_like_an_address_of_our_own() -> None:
    """With every plugin that comes with promptadmin."""
    routes = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    assert {route.split("/")[0] for route in routes} - {""} <= OWN_WORDS


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.5:50123", "203.0.113.5"),
        ("[2001:db8::5]:50123", "2001:db8::5"),
        ("[2001:DB8::5]", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
        (' "203.0.113.5:1" ', "203.0.113.5"),
        ("unknown", ""),
        ("203.0.113.5:x", ""),
        ("", ""),
    ],
)
def test_forwarded_addresses(text: str, address: str) -> None:
    assert read_address(text) == address
    asked = RequestFactory().get("/", REMOTE_ADDR="::ffff:10.1.2.3", HTTP_X_FORWARDED_FOR=f"192.0.2.9, {text}")
    with override_settings(TRUSTED_PROXIES=["10.0.0.0/8"]):
        assert client_address(asked) == (address or "::ffff:10.1.2.3")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/health", "/health", "/livez", "/readyz"])
@pytest.mark.parametrize("method", ["get", "head"])
def test_health_answers_whoever_asks(path: str, method: str) -> None:
    with override_settings(SECURE_SSL_REDIRECT=True, ALLOWED_HOSTS=["a.example"]):
        assert getattr(Client(), method)(path, headers={"host": "10.0.3.7"}).status_code == 200
        refused = Client().get("/api/projects", headers={"host": "10.0.3.7"})
    assert refused.status_code == 400
    assert "PROMPTADMIN_ALLOWED_HOSTS" in refused.json()["detail"]
