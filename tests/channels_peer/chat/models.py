"""What the chat keeps."""

from django.conf import settings
from django.db import models


class Room(models.Model):
    name = models.CharField(max_length=100, unique=True)


class Message(models.Model):
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    content = models.TextField()
    timestamp = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["room", "-id"])]
