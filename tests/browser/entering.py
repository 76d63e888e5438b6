"""Come in as somebody: what a test client is signed in to, a browser is too."""

from django.test import Client
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer


def enter(page: Page, live_server: LiveServer, who: Client) -> None:
    page.context.clear_cookies()
    for name, each in who.cookies.items():
        page.context.add_cookies([{"name": name, "value": each.value, "url": live_server.url}])
