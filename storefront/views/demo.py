"""The demo's mailbox: mails are kept instead of sent, and read here. Does not exist elsewhere."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import deliveries
from billing.models import Mail
from storefront import mail_designs

PAGE_SIZE = 25
View = Callable[..., HttpResponse]


def only_in_the_demo(view: View) -> View:
    """Make the page one that is not there unless this is the demo."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@only_in_the_demo
@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """List the mails, the latest first."""
    mails = Mail.objects.only("subject", "recipient", "state", "created_at").order_by("-id")
    page = Paginator(mails, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "storefront/mailbox.html", {"page": page})


@only_in_the_demo
@never_cache
@require_safe
def mailbox_mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail's text; with `?view=html` the HTML version, as a document of its own."""
    mail = get_object_or_404(Mail, pk=mail_id)
    text, html = deliveries.opened(mail)
    if request.GET.get("view") == "html" and html:
        return mail_designs.answer(html)
    return render(request, "storefront/mailbox_mail.html", {"mail": mail, "text": text})
