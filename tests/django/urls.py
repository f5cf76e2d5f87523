"""Django's own views for accounts, and a page that tells who is looking."""

from django.http import HttpResponse
from django.urls import include, path


def who(request):
    return HttpResponse(request.user.get_username(), content_type="text/plain")


urlpatterns = [path("", who), path("accounts/", include("django.contrib.auth.urls"))]
