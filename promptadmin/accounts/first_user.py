"""The administrator that the first start makes, so that somebody can sign in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError
from django.utils.crypto import get_random_string

from promptadmin.db.sessions import write_session

USER_NAME = "admin"
PASSWORD_LENGTH = 20


def check_given_password() -> None:
    """Raise ImproperlyConfigured if PROMPTADMIN_ADMIN_PASSWORD is set and too weak."""
    if settings.ADMIN_PASSWORD:
        try:
            validate_password(settings.ADMIN_PASSWORD)
        except ValidationError as error:
            raise ImproperlyConfigured(f"PROMPTADMIN_ADMIN_PASSWORD: {' '.join(error.messages)}") from None


def make_administrator() -> tuple[str, str | None] | None:
    """Make the user `admin` if no superuser exists; return its name and, where we made one up, its password.

    PROMPTADMIN_ADMIN_PASSWORD sets the password instead.
    """
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    password = settings.ADMIN_PASSWORD
    generated = None if password else get_random_string(PASSWORD_LENGTH)
    try:
        with write_session():
            get_user_model().objects.create_superuser(USER_NAME, password=password or generated)
    except IntegrityError:  # another process may have been faster
        if users.filter(is_superuser=True).exists():
            return None
        raise
    return USER_NAME, generated
