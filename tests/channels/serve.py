"""Serves the project on a free port, which it prints, until its input ends."""

import socket
import sys
from threading import Thread

import uvicorn

from asgi import application

listener = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_level="warning", ws="websockets-sansio"))
Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True).start()
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
