"""How what the program says of itself is written: `LOGGING`, as Django's settings have it."""

from __future__ import annotations

from typing import Any

FORMATS = ("line", "json")
#: What Django's records hold besides, which JSON can't say, or which repeats the access log.
LEFT_OUT = ("request", "server_time", "status_code", "taskName")


def logging_settings(level: str, form: str) -> dict[str, Any]:
    """Everything to the standard error, as lines or as an object of JSON for each entry, from this level on."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"},
            "json": {"()": "promptadmin.conf.logs.json_formatter"},
        },
        "filters": {
            "request_id": {"()": "promptadmin.http.request_id.RequestIdFilter"},
            "once": {"()": "promptadmin.http.error_responses.LoggedOnce"},
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": form, "filters": ["request_id"]}},
        "root": {"handlers": ["console"], "level": level},
        # The access log comes from the server; Django's own lines on each 4xx would double it. axes has four a sign-in.
        # SQL is logged with its values, sessions' keys among them.
        "loggers": {
            # Without the handler that Django gives it, which logs all again when debugging.
            "django": {"level": "INFO"},
            "django.db.backends": {"level": "INFO"},
            "django.request": {"level": "ERROR", "filters": ["once"]},
            **{
                f"django.security.{refused}": {"level": "CRITICAL"}
                for refused in ("RequestDataTooBig", "TooManyFieldsSent", "TooManyFilesSent")
            },
            "axes": {"level": "WARNING"},
        },
    }


def json_formatter() -> Any:
    """An object for each entry, with the names that the access log's objects have."""
    from pythonjsonlogger.core import RESERVED_ATTRS
    from pythonjsonlogger.json import JsonFormatter

    return JsonFormatter(
        "{levelname}{name}{request_id}{message}",
        style="{",
        timestamp="time",
        rename_fields={"levelname": "level", "name": "logger", "exc_info": "trace"},
        reserved_attrs=[*RESERVED_ATTRS, *LEFT_OUT],
    )
