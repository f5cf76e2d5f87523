"""A project that chats over Channels, as fast as Django can: nothing between a socket and its consumer, connections to the
database that stay open, channels in memory."""

import os

SECRET_KEY = "only-for-measurements"
ALLOWED_HOSTS = ["*"]
ASGI_APPLICATION = "asgi.application"
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "chat"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["PEER_DATABASE"],
        "CONN_MAX_AGE": None,
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL"},
    }
}
