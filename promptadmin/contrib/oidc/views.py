"""The way to the provider, and back."""

from __future__ import annotations

import logging
from typing import Any

import jwt
import requests
from django.contrib import messages
from django.contrib.auth import BACKEND_SESSION_KEY, logout
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from promptadmin.api.auth import AddressThrottle
from promptadmin.contrib.oidc.provider import SignInFailed, configured, setting
from promptadmin.db.infrastructure_errors import Fault
from promptadmin.http.error_responses import answer

logger = logging.getLogger(__name__)

BACKEND = "promptadmin.contrib.oidc.backend.Backend"
#: What goes wrong on the way: at the provider, or in what it says.
FAILURES = (
    SignInFailed,
    SuspiciousOperation,
    requests.RequestException,
    jwt.PyJWTError,
    KeyError,
    ValueError,
    TypeError,
)


class LeaveView(OIDCAuthenticationRequestView):
    """On to the provider, with what proves later that the answer is to this question."""

    get_settings = staticmethod(setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Each question is a session, which is kept: strangers may ask as often as they may ask anything."""
        throttle = AddressThrottle()
        if not throttle.allow_request(request):
            wait = max(1, round(throttle.wait() or 60))
            return answer(request, Fault(429, "Too many tries from your address.", wait), title="Try again later")
        try:
            there: HttpResponse = super().get(request)
        except SignInFailed as error:
            return failed(request, error)
        return there


class ReturnView(OIDCAuthenticationCallbackView):
    """Back from the provider: a session begins, goes on, or ends."""

    get_settings = staticmethod(setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign in who has come back, with the roles that they have now."""
        if request.GET.get("state") not in request.session.get("oidc_states", {}):
            # An address that anybody may have made: it ends no session.
            messages.error(request, "That answer of the provider is to no question of this browser: sign in again.")
            return HttpResponseRedirect(reverse("admin:login"))
        if request.GET.get("error"):
            del request.session["oidc_states"][request.GET["state"]]
            request.session.modified = True
            return failed(request, SignInFailed(_refusal(request)))
        try:
            there: HttpResponse = super().get(request)
        except FAILURES as error:
            return failed(request, error)
        return there

    def login_failure(self) -> HttpResponse:
        return failed(self.request, SignInFailed("The provider doesn't say who you are."))


def failed(request: HttpRequest, error: BaseException) -> HttpResponse:
    """The page to sign in, with what is wrong. A session that the provider began doesn't outlive its refusal."""
    logger.warning("Nobody was signed in through %s: %s", configured().issuer, error)
    if request.session.get(BACKEND_SESSION_KEY) == BACKEND:
        logout(request)
    own_words = isinstance(error, SignInFailed) and error.__cause__ is None
    text = str(error) if own_words else f"{configured().title} can't be reached, or says what can't be used."
    messages.error(request, f"You weren't signed in. {text} Who has a password here can sign in with it.")
    return HttpResponseRedirect(reverse("admin:login"))


def _refusal(request: HttpRequest) -> str:
    """What the provider answers in place of a code."""
    if request.GET["error"] in ("login_required", "interaction_required", "consent_required"):
        return "You have to sign in there again."
    told: Any = request.GET.get("error_description") or request.GET["error"]
    return f"{configured().title} says: {str(told)[:200]}."
