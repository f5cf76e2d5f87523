"""A view that says something in a room, as other parts of a project do."""

import json

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import HttpResponse
from django.urls import path


def say(request, room):
    layer = get_channel_layer()
    for event in json.loads(request.body):
        async_to_sync(layer.group_send)("chat_" + room, event)
    return HttpResponse(status=204)


urlpatterns = [path("say/<str:room>/", say)]
