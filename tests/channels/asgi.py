"""Views over HTTP, consumers over WebSocket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.asgi import get_asgi_application

django = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from consumers import ChatConsumer, RemetenteConsumer, TypedConsumer

sockets = [
    re_path(r"ws/chat/(?P<room_name>[^/]+)/$", ChatConsumer.as_asgi()),
    re_path(r"ws/remetente/(?P<room_name>[^/]+)$", RemetenteConsumer.as_asgi()),
    re_path(r"ws/typed/(?P<room_name>[^/]+)/$", TypedConsumer.as_asgi()),
]
application = ProtocolTypeRouter({"http": django, "websocket": URLRouter(sockets)})
