"""Serves the project on a free port, which it prints, and runs the Python that comes in, one line after the other.

Each line is a JSON string; the answer is a JSON string with what the code left in `result`. It ends with its input.
"""

import json
import os
import sys
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, make_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


application = get_wsgi_application()
call_command("migrate", verbosity=0)
server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
for line in sys.stdin:
    names = {"result": None}
    exec(json.loads(line), names)
    print(json.dumps(names["result"]), flush=True)
