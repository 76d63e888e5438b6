"""Every setting of the product. What the environment may say is listed in docs/operations.md."""

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.env import BASE_DIR as BASE_DIR
from config.env import VAR_DIR, env, env_secret
from config.gateways import paypal_accounts, stripe_accounts
from config.logs import LOGGING as LOGGING

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)
SECRET_KEY = env_secret("SECRET_KEY")
# Fernet keys for secrets at rest: the first encrypts, all decrypt (rotation).
FIELD_KEYS = env_secret("FIELD_KEYS").split()

SITE_URL = env.str("SITE_URL", default=f"http://localhost:{env.int('PORT', default=8000)}").rstrip(
    "/"
)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [SITE_URL]
HTTPS = SITE_URL.startswith("https://")

INSTALLED_APPS = [
    "storefront",
    "billing",
    "provisioning",
    "packages",
    "packages.desk.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
]

MIDDLEWARE = [
    "storefront.middleware.Webhooks",
    "storefront.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "storefront.middleware.DatabaseTrouble",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "storefront.middleware.Viewing",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "storefront.context.site",
            ],
        },
    }
]

# One engine, PostgreSQL 15 or newer. Rows are the queue, so its word is the only truth.
DATABASES = {
    "default": {
        **env.db_url("DATABASE_URL"),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            "options": "-c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The broker may vanish at any moment, so the cache (rate limits of sign-in) is in the database.
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
    },
    # Pages that all visitors see alike, in each process; their keys say what they show.
    "pages": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "pages",
        "TIMEOUT": None,
        "OPTIONS": {"MAX_ENTRIES": 100},
    },
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
# A doorbell that nobody hears within a second is left to the sweep.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 600,
    "max_retries": 1,
    "interval_start": 0,
    "interval_max": 0.2,
}
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {
    "provisioning.tasks.sweep_jobs": {"queue": "default"},
    "provisioning.tasks.beat_heartbeat": {"queue": "default"},
    "provisioning.tasks.*": {"queue": "provisioning"},
    "billing.deliveries.deliver_mail": {"queue": "mail"},
}
CELERY_TIMEZONE = "UTC"
# On so many accounts of a server one worker process works at once: it mostly waits for answers.
ACCOUNTS_AT_ONCE = env.int("ACCOUNTS_AT_ONCE", 8)

AUTH_USER_MODEL = "billing.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "billing.roles.RoleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "storefront:dashboard"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = False
ACCOUNT_LOGOUT_REDIRECT_URL = "storefront:home"
ACCOUNT_ADAPTER = "storefront.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "storefront.entrance_forms.SignupForm",
    "add_email": "storefront.entrance_forms.AddEmailForm",
    "reset_password": "storefront.entrance_forms.ResetPasswordForm",
    "reset_password_from_key": "storefront.entrance_forms.ResetPasswordKeyForm",
    "change_password": "storefront.entrance_forms.ChangePasswordForm",
    "set_password": "storefront.entrance_forms.SetPasswordForm",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
# Added to allauth's own: cancellations and withdrawals without sign-in mail a receipt to anybody.
ACCOUNT_RATE_LIMITS = {
    "declaration": "20/h/ip,5/h/key",
    "ticket": "30/h/user",
    "invitation": "20/h/user",
}
# So many proxies in front of web name the client's address; without one the proxy's own would share
# one limit among all visitors.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=int(HTTPS))
# Staff need a second factor, and show again who they are before money, secrets and rights move.
STAFF_GUARDED = env.bool("STAFF_GUARDED", default=not DEMO)
MFA_ADAPTER = "storefront.accounts.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = False
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "config.formats"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Berlin"

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(VAR_DIR / "static")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Mail leaves through EMAIL_URL. The demo sends nothing: its outbox is read in the browser.
vars().update(env.email_url("EMAIL_URL", default="dummymail://" if DEMO else "smtp://localhost:25"))
EMAIL_TIMEOUT = 20
# Whoever hands in mail signs it with one of these; without any no mail comes in.
INBOUND_MAIL_SECRETS = env_secret("INBOUND_MAIL_SECRETS", default="").split()

SIMULATED_GATEWAY = {
    "url": env.str("SIMULATED_GATEWAY_URL", default=""),
    "key": env_secret("SIMULATED_GATEWAY_KEY", default=""),
    "secrets": env_secret("SIMULATED_GATEWAY_SECRET", default="").split(),
    "account": env.str("SIMULATED_GATEWAY_ACCOUNT", default="demo"),
    "timeout_seconds": 10,
}
# Accounts at gateways that may have several, by the code that rows and addresses carry: each says
# of which `kind` it is (billing/gateways/__init__.py), the rest is for its adapter.
GATEWAY_ACCOUNTS: dict[str, dict[str, Any]] = {**stripe_accounts(), **paypal_accounts()}
# The tax offices' register of VAT ids. Without a stored answer there is no reverse charge, unless
# the switch is off. A demo answers for itself.
VIES_URL = env.str(
    "VIES_URL",
    default="https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number",
)
VIES_REQUIRED = env.bool("VIES_REQUIRED", default=not DEMO)
VIES_DAYS = env.int("VIES_DAYS", default=30)
BANK_TRANSFER = env.bool("BANK_TRANSFER", default=True)

# Which addresses a dialler may have; its own is a row that staff edit. A demo's is on this machine.
DIALLER_HOSTS = env.list("DIALLER_HOSTS", default=[])
DIALLER_NETWORKS = env.list("DIALLER_NETWORKS", default=["127.0.0.0/8", "::1/128"] if DEMO else [])
DIALLER_PLAIN_HTTP = env.bool("DIALLER_PLAIN_HTTP", default=DEMO)

# Where `make run` started the dialler simulator; only the demo's seed reads it.
SIMULATOR_URL = env.str("SIMULATOR_URL", default="")
SIMULATOR_PASSWORD = env_secret("SIMULATOR_PASSWORD", default="")

SECURE_SSL_REDIRECT = HTTPS and env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# A payment form redirects to the gateway's page, and browsers check the whole chain.
PAYMENT_ORIGINS = [
    *filter(None, [SIMULATED_GATEWAY["url"]]),
    *(account["page_origin"] for account in GATEWAY_ACCOUNTS.values()),
]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *PAYMENT_ORIGINS],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "storefront.api.problems.handle",
}
SPECTACULAR_SETTINGS = {"TITLE": "Storefront API", "VERSION": "1", "SERVE_INCLUDE_SCHEMA": False}
