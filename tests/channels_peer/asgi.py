"""Consumers over WebSocket."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

import django

django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import re_path

from chat.consumers import ChatConsumer

sockets = [re_path(r"ws/chat/(?P<room_name>[^/]+)/$", ChatConsumer.as_asgi())]
application = ProtocolTypeRouter({"websocket": URLRouter(sockets)})
