"""The product's settings with what only tests need."""

import os

# Tools that only read the models (mypy) need no server behind these addresses.
os.environ.setdefault("DATABASE_URL", "postgres://nobody@127.0.0.1:9/none")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9/0")
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "k" * 50)
os.environ.setdefault("FIELD_KEYS", "Q2FzdGZyb250IHRlc3RzIG9ubHksIG5vIHNlY3JldC4=")
os.environ.setdefault("SIMULATED_GATEWAY_URL", "http://127.0.0.1:9")
os.environ.setdefault("SIMULATED_GATEWAY_KEY", "test-key")
os.environ.setdefault("SIMULATED_GATEWAY_SECRET", "test-webhook-secret")

from config.env import VAR_DIR  # noqa: E402
from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, PASSWORD_HASHERS, STORAGES  # noqa: E402

# Nothing is collected for tests; an empty folder keeps whitenoise quiet.
STATIC_ROOT = VAR_DIR / "no-static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)

# A task that runs within a test has its connection, and its points of chaos, to itself.
ACCOUNTS_AT_ONCE = int(os.environ.get("ACCOUNTS_AT_ONCE", "1"))

# The live server's threads end with their requests, and their connections with them.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# `make test` migrates once for all its processes; an empty name is PostgreSQL's own template.
DATABASES["default"]["TEST"] = {"TEMPLATE": os.environ.get("TEST_TEMPLATE", "")}

# Tests that do not care about the register go without it.
VIES_REQUIRED = False
VIES_URL = "http://127.0.0.1:9/"

# Tests that are about the desk's door close it.
STAFF_GUARDED = False

# The simulator and the tests' own servers are on this machine.
DIALLER_NETWORKS = ["127.0.0.0/8"]
DIALLER_PLAIN_HTTP = True

# Argon2 is slow on purpose; what it protects is not tested by running it a thousand times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *PASSWORD_HASHERS]
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
