"""Django's settings for promptadmin, and the only reader of the environment.

docs/settings.md lists every variable with its default.
"""

import datetime as dt
import os
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.crypto import salted_hmac

from promptadmin.conf import limits, logs
from promptadmin.conf.environment import Environment
from promptadmin.conf.network_names import host, network, origin, path_prefix
from promptadmin.conf.oidc import OpenIdProvider
from promptadmin.conf.places import default_data_dir
from promptadmin.conf.secret_key import read_or_make_secret_key
from promptadmin.db import durability
from promptadmin.db.chosen_database import DEFAULT_NAME
from promptadmin.db.database_url import database_config, replica_config
from promptadmin.http.client_address import HEALTH_ADDRESSES
from promptadmin.http.csp import STRICT
from promptadmin.plugins.declarations import app_paths, installed_plugins
from promptadmin.plugins.plugin_settings import variables_of

env = Environment(os.environ)

# ---------------------------------------------------------------- places
DATA_DIR = env.directory("PROMPTADMIN_DATA_DIR", default_data_dir())
DEBUG = env.flag("PROMPTADMIN_DEBUG")
HTTPS = env.flag("PROMPTADMIN_HTTPS")
SECRET_KEY = read_or_make_secret_key(env.text("PROMPTADMIN_SECRET_KEY"), DATA_DIR)
ALLOWED_HOSTS = env.names("PROMPTADMIN_ALLOWED_HOSTS", read=host) or ["localhost", "127.0.0.1", "[::1]"]
PATH_PREFIX = path_prefix("PROMPTADMIN_PATH_PREFIX", env.text("PROMPTADMIN_PATH_PREFIX"))
FORCE_SCRIPT_NAME = PATH_PREFIX or None
CSRF_TRUSTED_ORIGINS = env.names("PROMPTADMIN_TRUSTED_ORIGINS", read=partial(origin, wildcard=True))

# ---------------------------------------------------------------- database
DATABASE_POOL = env.number("PROMPTADMIN_DATABASE_POOL", 0, maximum=1000)
DATABASE_URL = env.text("DATABASE_URL", f"sqlite:///{quote(str(DATA_DIR / DEFAULT_NAME))}")
DATABASES = {"default": database_config(DATABASE_URL, pool=DATABASE_POOL)}
if replica_url := env.text("DATABASE_REPLICA_URL"):
    DATABASES["replica"] = replica_config(replica_url, DATABASES["default"], pool=DATABASE_POOL)
REPLICA_MAX_LAG = env.number("PROMPTADMIN_REPLICA_MAX_LAG", 10, minimum=1)
DURABILITY = env.choice("PROMPTADMIN_DURABILITY", "fast", durability.CHOICES)
BACKUP_OFF = env.text("PROMPTADMIN_BACKUP_EVERY").lower() == "off"
BACKUP_EVERY = None if BACKUP_OFF else env.duration("PROMPTADMIN_BACKUP_EVERY", minimum=timedelta(seconds=10))
#: A SQLite file is backed up every day unless somebody says otherwise.
BACKUP_BY_DEFAULT = BACKUP_EVERY is None and not BACKUP_OFF and "sqlite" in DATABASES["default"]["ENGINE"]
if BACKUP_BY_DEFAULT:
    BACKUP_EVERY = timedelta(days=1)
KEEP_DELETED_DAYS = env.number("PROMPTADMIN_KEEP_DELETED_DAYS", 30, maximum=3650)
BACKUP_KEEP = env.number("PROMPTADMIN_BACKUP_KEEP", 14, minimum=1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- applications
ENABLED_PLUGINS = env.names("PROMPTADMIN_PLUGINS", ("projects", "optimizations", "registry", "comments"))
PROMPT_CHECKS_OFF = env.names("PROMPTADMIN_PROMPT_CHECKS_OFF")
FETCH_SECONDS = env.number("PROMPTADMIN_FETCH_SECONDS", 5, maximum=60 * 60)  # 0: fetches aren't counted
PROMPT_MAX_AGE = env.number("PROMPTADMIN_PROMPT_MAX_AGE", 0, maximum=24 * 60 * 60)  # seconds
CLIENTS = env.names("PROMPTADMIN_CLIENTS")
# Not as an application: commands that serve no API start without importing it. Its page of documentation needs these.
NINJA = Path(find_spec("ninja").origin).parent  # type: ignore[union-attr,arg-type]  # it is installed
INSTALLED_APPS = [
    "promptadmin.apps.PlatformConfig",
    "unfold.apps.BasicAppConfig",  # the theme's templates come before Django's; the site is our own
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "import_export",
    "promptadmin.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "axes",  # counts failed sign-ins
    "auditlog",  # the change log's table; promptadmin/audit.py writes it
    *app_paths(ENABLED_PLUGINS),
]
MIDDLEWARE = [
    "promptadmin.http.middleware.encodings_middleware",
    "promptadmin.http.request_id.request_id_middleware",
    "django.middleware.gzip.GZipMiddleware",
    "promptadmin.http.middleware.security_headers_middleware",
    "promptadmin.http.middleware.deadline_middleware",
    "promptadmin.http.browsers.CSPMiddleware",
    "promptadmin.http.middleware.file_in_place_middleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "promptadmin.http.middleware.api_middleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "promptadmin.http.browsers.SessionMiddleware",
    "promptadmin.http.browsers.CommonMiddleware",
    "promptadmin.http.browsers.CsrfViewMiddleware",
    "promptadmin.http.browsers.AuthenticationMiddleware",
    "promptadmin.accounts.session_limits.session_limits_middleware",
    "promptadmin.http.actor.actor_middleware",
    "promptadmin.http.middleware.replica_middleware",
    "promptadmin.http.browsers.MessageMiddleware",
    "promptadmin.http.browsers.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",  # the last: it turns the form's answer into that of a lockout
]
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W003"]  # they look for these two under Django's names alone
ROOT_URLCONF = "promptadmin.urls"
WSGI_APPLICATION = "promptadmin.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "DIRS": [NINJA / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# ---------------------------------------------------------------- access
AUTHENTICATION_BACKENDS = ["axes.backends.AxesBackend", "django.contrib.auth.backends.ModelBackend"]
OIDC = OpenIdProvider.read(env, is_on="oidc" in ENABLED_PLUGINS)
if OIDC:
    AUTHENTICATION_BACKENDS.append("promptadmin.contrib.oidc.backend.Backend")
    session_limits = MIDDLEWARE.index("promptadmin.accounts.session_limits.session_limits_middleware")
    MIDDLEWARE.insert(session_limits + 1, "promptadmin.contrib.oidc.renewal.renewal_middleware")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {},
        "MinimumLengthValidator": {"min_length": 12},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # how long a link to set a password works
ADMIN_PASSWORD = env.text("PROMPTADMIN_ADMIN_PASSWORD")
API_AUTH_TOKEN = env.text("AUTH_TOKEN")
if not re.fullmatch("[ -~]*", API_AUTH_TOKEN):
    raise ImproperlyConfigured("AUTH_TOKEN: no request can send it: use letters, digits and signs of ASCII.")
API_AUTH = env.flag("PROMPTADMIN_API_AUTH", default=True)
RATE_LIMIT_RPM = env.number("RATE_LIMIT_RPM", 0)
ANONYMOUS_RPM = limits.ANONYMOUS_RPM
TRUSTED_PROXIES = env.names("PROMPTADMIN_TRUSTED_PROXIES", read=network)
LOGIN_URL, LOGIN_REDIRECT_URL = "admin:login", "admin:index"
SESSION_COOKIE_AGE = env.number("PROMPTADMIN_SESSION_HOURS", 12, minimum=1, maximum=8760) * 3600
SESSION_IDLE_SECONDS = env.number("PROMPTADMIN_SESSION_IDLE_MINUTES", 60, minimum=2, maximum=525_600) * 60
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = f"{PATH_PREFIX}/"
# Browsers send a host's cookies to all of its ports: another installation there must not overwrite this one's.
COOKIE_SUFFIX = salted_hmac(
    "promptadmin.cookies", f"name{PATH_PREFIX}", secret=SECRET_KEY, algorithm="sha256"
).hexdigest()[:8]
SESSION_COOKIE_NAME = env.cookie_name("PROMPTADMIN_SESSION_COOKIE", f"sessionid_{COOKIE_SUFFIX}")
# On ports of one host all can share it: its value is a random text, and each accepts what another one has set. Below a
# prefix that isn't so: a browser keeps one for each path, and sends those of all paths that lead to a page.
CSRF_COOKIE_NAME = env.cookie_name(
    "PROMPTADMIN_CSRF_COOKIE", f"csrftoken_{COOKIE_SUFFIX}" if PATH_PREFIX else "csrftoken"
)
MESSAGES_COOKIE_NAME = f"messages_{COOKIE_SUFFIX}"
if len({SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, MESSAGES_COOKIE_NAME}) < 3:
    raise ImproperlyConfigured("PROMPTADMIN_SESSION_COOKIE and PROMPTADMIN_CSRF_COOKIE: two cookies need two names.")
MESSAGE_STORAGE = "promptadmin.http.browsers.MessageStorage"
CSRF_FAILURE_VIEW = "promptadmin.http.error_responses.csrf_failure"
SESSION_COOKIE_HTTPONLY, SESSION_COOKIE_SAMESITE, CSRF_COOKIE_SAMESITE = True, "Lax", "Lax"
AXES_FAILURE_LIMIT = env.number("PROMPTADMIN_LOCKOUT_FAILURES", 10, minimum=1)
LOCKOUT_ADDRESS_FAILURES = env.number("PROMPTADMIN_LOCKOUT_ADDRESS_FAILURES", 50, minimum=1)
AXES_HANDLER = "promptadmin.accounts.lockouts.counting.Handler"
AXES_COOLOFF_TIME = dt.timedelta(minutes=env.number("PROMPTADMIN_LOCKOUT_MINUTES", 15, minimum=1, maximum=525_600))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # both: a name alone would let anybody lock anybody out
AXES_CLIENT_IP_CALLABLE = "promptadmin.http.client_address.client_address"
AXES_LOCKOUT_CALLABLE = "promptadmin.accounts.lockouts.answer.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # it ends when its page says it does
AXES_DISABLE_ACCESS_LOG = True  # failures are counted, sign-ins are not recorded
AXES_ENABLE_ADMIN = AXES_VERBOSE = False  # the page is our own
AXES_SENSITIVE_PARAMETERS = ["username"]  # people type passwords there, too

# ---------------------------------------------------------------- bounds
DATA_UPLOAD_MAX_MEMORY_SIZE = limits.BODY_BYTES
EXPORTS = env.number("PROMPTADMIN_EXPORTS", 1, minimum=1, maximum=1000)  # at once, in each process
EXPORT_STALL = env.number("PROMPTADMIN_EXPORT_STALL", 30, maximum=24 * 60 * 60)
READ_TIMEOUT = env.number("PROMPTADMIN_READ_TIMEOUT", 30, maximum=24 * 60 * 60)

# ---------------------------------------------------------------- browsers of other origins
CORS_ALLOWED_ORIGINS = env.names("FRONTEND_URL", ("http://localhost:5199",), read=origin)
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "authorization",
    "content-type",
    "x-csrftoken",
    "x-llm-api-key",
    "x-llm-model",
    "x-llm-provider",
    "x-confirm-delete",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
)
CORS_EXPOSE_HEADERS = ("ETag", "Retry-After", "Idempotency-Replayed", "X-Request-ID")

# ---------------------------------------------------------------- other applications' tables
MIGRATION_MODULES = {
    "auditlog": None,  # they would make a second table, in 17 steps, that nobody uses
    "axes": "promptadmin.accounts.lockouts.migrations",  # one step instead of ten
}

# ---------------------------------------------------------------- the change log
AUDITLOG_LOGENTRY_MODEL = "promptadmin.LogEntry"
AUDITLOG_MASK_CALLABLE = "promptadmin.audit.masked"  # its own leaves the second half of a secret
AUDITLOG_INCLUDE_TRACKING_MODELS = (  # what is saved through Django's models; the repositories log their own writes
    {"model": "auth.User", "exclude_fields": ["last_login"], "mask_fields": ["password"], "m2m_fields": ["groups"]},
    {"model": "auth.Group", "m2m_fields": ["permissions"]},
    {"model": "promptadmin.ApiToken", "exclude_fields": ["digest", "last_used_at"]},
)


# ---------------------------------------------------------------- the back-office's looks
def _address_of(name: str) -> Callable[[HttpRequest], str]:
    """What the theme asks, with each request, for the address of a static file of ours."""
    return lambda request: static(f"promptadmin/{name}")


UNFOLD = {
    "SITE_TITLE": "promptadmin",
    "SITE_HEADER": "promptadmin",
    "SITE_SYMBOL": "edit_note",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "navigation": "promptadmin.backoffice.navigation.navigation",
    },
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _address_of("favicon.svg")}],
    "STYLES": [_address_of("colours.css"), _address_of("admin.css")],
    "SCRIPTS": [
        _address_of(f"{name}.js")
        for name in (
            *("htmx_settings", "chart_labels", "keyboard", "session", "sent_once", "drafts", "copy", "times"),
            "cut_texts",
        )
    ],
}

# ---------------------------------------------------------------- transport
SECURE_REDIRECT_EXEMPT = [f"^{re.escape(SESSION_COOKIE_PATH[1:])}{HEALTH_ADDRESSES}"]
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.number("PROMPTADMIN_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if env.flag("PROMPTADMIN_BEHIND_PROXY", default=True) and HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {"DIRECTIVES": STRICT}  # pages that need more say so
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"

# ---------------------------------------------------------------- texts, times, files
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "promptadmin.conf.formats"
TIME_ZONE = "UTC"
USE_TZ = True
FILE_UPLOAD_HANDLERS = (
    "promptadmin.exchange.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
)
STATIC_URL = "static/"
STATICFILES_DIRS = [NINJA / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False  # pages of other hosts have no use for ours
WHITENOISE_USE_FINDERS = True  # serves each application's files from where they are: no collecting step
DEFAULT_EXCEPTION_REPORTER_FILTER = "promptadmin.http.debug_pages.SecretsHidden"
LOG_LEVEL = env.choice("PROMPTADMIN_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOG_FORMAT = env.choice("PROMPTADMIN_LOG_FORMAT", "line", logs.FORMATS)
LOGGING = logs.logging_settings(LOG_LEVEL, LOG_FORMAT)
METRICS_TOKEN = env.secret("PROMPTADMIN_METRICS_TOKEN")
METRICS_ADDRESS = env.listening_address("PROMPTADMIN_METRICS_ADDRESS")
METRICS = bool(METRICS_TOKEN or METRICS_ADDRESS)
#: For the settings of plugins, which are read when these are known; and for a check of what nobody has asked for.
ENVIRONMENT = env
env.of_others = tuple(variables_of(name) for name in installed_plugins() if name not in ENABLED_PLUGINS)
