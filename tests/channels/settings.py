"""A project that chats over Channels. What the tests vary comes from the environment."""

import os

SECRET_KEY = "only-for-tests"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "urls"
ASGI_APPLICATION = "asgi.application"
USE_TZ = True
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": os.environ["SITE_LAYER"],
        "CONFIG": {"hosts": os.environ["SITE_REDIS"].split(), "prefix": os.environ["SITE_PREFIX"]},
    }
}
