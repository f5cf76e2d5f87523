"""A project that has nothing but Django's own accounts. What the tests vary comes from the environment."""

import os
from pathlib import Path

SECRET_KEY = os.environ["SITE_SECRET_KEY"]
SECRET_KEY_FALLBACKS = os.environ.get("SITE_SECRET_KEY_FALLBACKS", "").split()
SESSION_ENGINE = "django.contrib.sessions.backends." + os.environ["SITE_SESSIONS"]

if "SITE_POSTGRES_PORT" in os.environ:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "PORT": os.environ["SITE_POSTGRES_PORT"],
            "NAME": "postgres",
            "USER": "postgres",
            "PASSWORD": os.environ["SITE_POSTGRES_PASSWORD"],
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["SITE_SQLITE"],
            "OPTIONS": {"timeout": 20},
        }
    }

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]
ROOT_URLCONF = "urls"
LOGIN_REDIRECT_URL = "/"
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
