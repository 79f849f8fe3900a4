"""Addresses of the way to the provider and back, under the names that mozilla-django-oidc asks for."""

from django.urls import path

from promptadmin.contrib.oidc.provider import CALLBACK
from promptadmin.contrib.oidc.views import LeaveView, ReturnView

urlpatterns = [
    path("authenticate/", LeaveView.as_view(), name="oidc"),
    path("callback/", ReturnView.as_view(), name=CALLBACK),
]
