"""Puts so many messages into the room r0, and serves on a free port, which it prints."""

import os
import socket
import sys
from datetime import UTC, datetime, timedelta

import uvicorn

from asgi import application
from chat.models import Message, Room
from django.contrib.auth.models import User
from django.core.management import call_command

START = datetime(2025, 10, 3, 2, 40, tzinfo=UTC)


def sow(count):
    room = Room.objects.create(name="r0")
    sender = User.objects.create(username="user1")
    text = "the quick brown fox jumps over the lazy dog"
    messages = (
        Message(room=room, sender=sender, content=text, timestamp=START + timedelta(microseconds=number))
        for number in range(count)
    )
    Message.objects.bulk_create(messages, batch_size=10_000)


call_command("migrate", run_syncdb=True, verbosity=0)
sow(int(os.environ["PEER_MESSAGES"]))
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
print("%s:%d" % listener.getsockname(), flush=True)
# Whoever started it does not read on.
sys.stdout = open(os.devnull, "w")
config = uvicorn.Config(application, lifespan="off", log_level="critical", ws="websockets-sansio")
uvicorn.Server(config).run(sockets=[listener])
