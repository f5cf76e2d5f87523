"""A consumer that speaks `plain`, which it does not store, and answers `fetch_message` of `command`."""

import json

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from chat.models import Message

HISTORY = 50


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.room = self.scope["url_route"]["kwargs"]["room_name"]
        self.group = "chat_" + self.room
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data):
        data = json.loads(text_data)
        if data.get("command") == "fetch_message":
            messages = await newest(data["roomName"])
            await self.send(text_data=json.dumps({"command": "fetch_message", "message": messages}))
        else:
            event = {"type": "chat_message", "message": data["message"], "username": "anonymous"}
            await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        shown = {"message": event["message"], "username": event["username"]}
        await self.send(text_data=json.dumps(shown))


@database_sync_to_async
def newest(room):
    messages = Message.objects.filter(room__name=room).select_related("sender").order_by("-id")
    return [
        {
            "__str__": message.sender.username,
            "content": message.content,
            "timestamp": message.timestamp.strftime("%Y-%m-%dT%H:%M:%S%fZ"),
        }
        for message in messages[:HISTORY]
    ]
