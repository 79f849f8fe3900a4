"""Django's settings for promptadmin, and the only reader of the environment.

docs/settings.md lists every variable with its default.
"""

import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from promptadmin.databases import database_config
from promptadmin.environment import Environment
from promptadmin.plugins import app_paths
from promptadmin.secret_key import read_or_make_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(os.environ)

# ---------------------------------------------------------------- places
DATA_DIR = env.directory("PROMPTADMIN_DATA_DIR", BASE_DIR / "data")
DEBUG = env.flag("PROMPTADMIN_DEBUG")
HTTPS = env.flag("PROMPTADMIN_HTTPS")
SECRET_KEY = read_or_make_secret_key(env.text("PROMPTADMIN_SECRET_KEY"), DATA_DIR)
ALLOWED_HOSTS = env.names("PROMPTADMIN_ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = env.names("PROMPTADMIN_TRUSTED_ORIGINS")
for origin in CSRF_TRUSTED_ORIGINS:
    if urlsplit(origin).scheme not in ("http", "https"):
        raise ImproperlyConfigured(f"PROMPTADMIN_TRUSTED_ORIGINS: {origin!r} needs a scheme, as in https://{origin}.")


# ---------------------------------------------------------------- database
DATABASES = {"default": database_config(env.text("DATABASE_URL", f"sqlite:///{DATA_DIR / 'promptadmin.db'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- applications
ENABLED_PLUGINS = env.names("PROMPTADMIN_PLUGINS", ("projects", "optimizations"))
PROMPT_CHECKS_OFF = env.names("PROMPTADMIN_PROMPT_CHECKS_OFF")
WEBHOOKS_PRIVATE = env.flag("PROMPTADMIN_WEBHOOKS_PRIVATE")
WEBHOOKS_ATTEMPTS = env.number("PROMPTADMIN_WEBHOOKS_ATTEMPTS", 8, minimum=1)
WEBHOOKS_RETRY_SECONDS = env.number("PROMPTADMIN_WEBHOOKS_RETRY_SECONDS", 5, minimum=1)
WEBHOOKS_KEEP_DAYS = env.number("PROMPTADMIN_WEBHOOKS_KEEP_DAYS", 30, minimum=1, maximum=36500)
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
    "auditlog",  # the change log's table; promptadmin/audit.py writes it
    *app_paths(ENABLED_PLUGINS),
]
MIDDLEWARE = [
    "promptadmin.request_ids.request_id_middleware",
    "django.middleware.gzip.GZipMiddleware",
    "promptadmin.middleware.security_headers_middleware",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "promptadmin.middleware.api_middleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "promptadmin.audit.actor_middleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ADMIN_PASSWORD = env.text("PROMPTADMIN_ADMIN_PASSWORD")
API_AUTH_TOKEN = env.text("AUTH_TOKEN")
API_AUTH = env.flag("PROMPTADMIN_API_AUTH", default=True)
RATE_LIMIT_RPM = env.number("RATE_LIMIT_RPM", 0)
ANONYMOUS_RPM = 60
TRUSTED_PROXIES = env.names("PROMPTADMIN_TRUSTED_PROXIES")
LOGIN_URL = "admin:login"

# ---------------------------------------------------------------- browsers of other origins
CORS_ALLOWED_ORIGINS = env.names("FRONTEND_URL", ("http://localhost:5199",))
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
    "if-match",
    "if-none-match",
    "if-unmodified-since",
)
for origin in CORS_ALLOWED_ORIGINS:
    if urlsplit(origin).scheme not in ("http", "https") or urlsplit(origin).path:
        raise ImproperlyConfigured(f"FRONTEND_URL: {origin!r} is no origin: use the form https://host:port.")

# ---------------------------------------------------------------- the change log
AUDITLOG_LOGENTRY_MODEL = "promptadmin.LogEntry"
MIGRATION_MODULES = {"auditlog": None}  # they would make a second table, in 17 steps, that nobody uses
AUDITLOG_INCLUDE_TRACKING_MODELS = (  # what is saved through Django's models; the repositories log their own writes
    {"model": "auth.User", "exclude_fields": ["last_login"], "mask_fields": ["password"], "m2m_fields": ["groups"]},
    {"model": "auth.Group", "m2m_fields": ["permissions"]},
    {"model": "promptadmin.ApiToken", "exclude_fields": ["digest", "last_used_at"]},
)

# ---------------------------------------------------------------- the back-office's looks
UNFOLD = {
    "SITE_TITLE": "promptadmin",
    "SITE_HEADER": "promptadmin",
    "SITE_SYMBOL": "edit_note",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "SIDEBAR": {"show_search": False, "navigation": "promptadmin.navigation.navigation"},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "promptadmin.sites.favicon"}],
    "STYLES": ["promptadmin.sites.stylesheet"],
    "SCRIPTS": ["promptadmin.sites.keyboard_script"],
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .013 240)",
            "100": "oklch(94% .03 242)",
            "200": "oklch(88.5% .06 244)",
            "300": "oklch(80.5% .1 246)",
            "400": "oklch(70.5% .14 250)",
            "500": "oklch(61% .17 255)",
            "600": "oklch(52.5% .18 258)",
            "700": "oklch(46.5% .165 260)",
            "800": "oklch(40.5% .135 261)",
            "900": "oklch(36% .105 261)",
            "950": "oklch(27% .08 262)",
        },
        "font": {"subtle-light": "var(--color-base-600)"},  # 500 has too little contrast on the theme's grey
    },
}

# ---------------------------------------------------------------- transport
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = env.number("PROMPTADMIN_HSTS_SECONDS", 31_536_000 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
if HTTPS and env.flag("PROMPTADMIN_BEHIND_PROXY", default=True):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"

# ---------------------------------------------------------------- texts, times, files
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FILE_UPLOAD_HANDLERS = (
    "promptadmin.exchange.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
)
STATIC_URL = "static/"
STATICFILES_DIRS = [NINJA / "static"]
WHITENOISE_USE_FINDERS = True  # serves each application's files from where they are: no collecting step
LOG_LEVEL = env.choice("PROMPTADMIN_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} [{request_id}]: {message}", "style": "{"}},
    "filters": {"request_id": {"()": "promptadmin.request_ids.RequestIdFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["request_id"]}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # The access log comes from the server; Django's own lines on each 4xx would double it.
    "loggers": {"django.request": {"level": "ERROR"}},
}
