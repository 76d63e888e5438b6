"""The mails that a customer was sent, as they were sent. What was sealed in them is never shown."""

from email.utils import parseaddr

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import emails
from storefront import mail_designs, standings
from storefront.owned import owned_mail, owned_mails

PAGE_SIZE = 25


@never_cache
@login_required
@require_safe
def mails(request: HttpRequest) -> HttpResponse:
    shown = owned_mails(request).defer("text", "html", "sealed").order_by("-id")
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [(each, standings.of_mail(each)) for each in page]
    return render(request, "storefront/account/mails.html", {"page": page, "rows": rows})


@never_cache
@login_required
@require_safe
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail. A one-time link or a password in it stays the placeholder that is stored."""
    row = owned_mail(request, mail_id)
    left_out = emails.SEALED in row.text
    text = row.text.replace(emails.SEALED, _("[left out: it was for the e-mail alone]"))
    name, address = parseaddr(row.sender)
    context = {
        "mail": row,
        "sender": f"{name} <{address}>" if name else row.sender,
        "text": text,
        "standing": standings.of_mail(row),
        "left_out": left_out,
        "has_design": bool(row.html) and not left_out,
    }
    return render(request, "storefront/account/mail.html", context)


@never_cache
@login_required
@require_safe
def mail_design(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show the HTML version as a document of its own; not where its button would lead nowhere."""
    row = owned_mail(request, mail_id)
    if not row.html or emails.SEALED in row.html:
        raise Http404
    return mail_designs.answer(row.html)
