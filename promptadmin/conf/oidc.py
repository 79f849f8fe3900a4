"""Sign-in through an OpenID Connect provider, as the environment describes it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from promptadmin.conf.environment import Environment

#: The name of the plugin that does it.
PLUGIN = "oidc"
ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
PREFIX = "PROMPTADMIN_OIDC_"


@dataclass(frozen=True)
class OpenIdProvider:
    """The provider, who we are there, and which of its groups have which roles here."""

    issuer: str
    client_id: str
    client_secret: str
    title: str
    scopes: str
    algorithm: str
    groups_claim: str
    roles: dict[str, list[str]]
    renew_seconds: int

    @classmethod
    def read(cls, env: Environment, *, is_on: bool) -> OpenIdProvider | None:
        """What the environment says; None where the plugin is off. Raises ImproperlyConfigured."""
        found = cls(
            issuer=env.text(f"{PREFIX}ISSUER").rstrip("/"),
            client_id=env.text(f"{PREFIX}CLIENT_ID"),
            client_secret=env.text(f"{PREFIX}CLIENT_SECRET"),
            title=env.text(f"{PREFIX}TITLE", "single sign-on"),
            scopes=env.text(f"{PREFIX}SCOPES", "openid profile email"),
            algorithm=env.choice(f"{PREFIX}ALGORITHM", ALGORITHMS[0], ALGORITHMS),
            groups_claim=env.text(f"{PREFIX}GROUPS_CLAIM", "groups"),
            roles=_roles(env.names(f"{PREFIX}ROLES")),
            renew_seconds=env.number(f"{PREFIX}RENEW_MINUTES", 15, minimum=1, maximum=1440) * 60,
        )
        if not is_on:
            return None
        if find_spec("mozilla_django_oidc") is None:
            raise ImproperlyConfigured(
                "PROMPTADMIN_PLUGINS: the plugin 'oidc' needs more packages: run `pip install 'promptadmin[oidc]'`, in "
                "a checkout `.venv/bin/pip install --require-hashes -r requirements-oidc.lock`, or take it out."
            )
        for name in ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "ROLES"):
            if not getattr(found, name.lower()):
                raise ImproperlyConfigured(f"{PREFIX}{name} isn't set: the plugin 'oidc' needs it (docs/security.md).")
        _check_issuer(found.issuer)
        if "openid" not in found.scopes.split():
            raise ImproperlyConfigured(f"{PREFIX}SCOPES={found.scopes!r}: 'openid' must be one of them.")
        return found


def _roles(pairs: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        group, sign, role = pair.rpartition("=")
        if not sign or not group.strip() or not role.strip():
            raise ImproperlyConfigured(
                f"{PREFIX}ROLES: {pair!r} is no pair: use the form group=role, separated by commas, such as "
                "prompt-team=editor,everybody=viewer."
            )
        found.setdefault(group.strip(), []).append(role.strip())
    return found


def _check_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    is_here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.query or parts.fragment or not (parts.scheme == "https" or is_here):
        raise ImproperlyConfigured(
            f"{PREFIX}ISSUER={issuer!r}: use the address that the provider calls its issuer, such as "
            "https://login.example.com/realms/company; http:// is for a provider on this machine only."
        )
