"""Consumers as the documents' projects have them: each takes the keys out of an event that its own front end shows."""

import json

from channels.generic.websocket import AsyncWebsocketConsumer


class ChatConsumer(AsyncWebsocketConsumer):
    async def connect(self):
        self.group = "chat_" + self.scope["url_route"]["kwargs"]["room_name"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data):
        data = json.loads(text_data)
        event = {"type": "chat_message", "message": data["message"], "username": data["username"]}
        await self.channel_layer.group_send(self.group, event)

    async def chat_message(self, event):
        shown = {"message": event["message"], "username": event["username"]}
        await self.send(text_data=json.dumps(shown))

    async def chat_noise(self, event):
        pass


class RemetenteConsumer(ChatConsumer):
    async def chat_message(self, event):
        shown = {"message": event["message"], "remetente": event["remetente"]}
        await self.send(text_data=json.dumps(shown))


class TypedConsumer(ChatConsumer):
    async def chat_message(self, event):
        keys = ["type", "message_id", "message", "user_id", "username", "timestamp", "is_read"]
        await self.send(text_data=json.dumps({key: event[key] for key in keys}))
