"""One's own data: ask for a copy, download it once, ask for the deletion."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing import data_requests
from billing.models import DataExport, DeletionRequest
from packages import clock
from storefront.owned import own_customer, user_of


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: HttpRequest) -> HttpResponse:
    """Show what may be asked for; a POST asks for a copy, or for the deletion."""
    customer, user, at = own_customer(request), user_of(request), clock.now()
    if request.method == "POST":
        if request.POST.get("deed") == "export":
            data_requests.ask(customer, user, at=at)
        elif request.POST.get("deed") == "delete" and request.POST.get("sure") == "yes":
            data_requests.ask_deletion(customer, user, at=at)
        else:
            messages.error(request, _("Please tick the box. Nothing was asked for."))
        return redirect("storefront:data")
    waiting = DeletionRequest.objects.filter(
        customer=customer, state=DeletionRequest.State.RECEIVED
    )
    latest = DataExport.objects.filter(customer=customer).defer("content").first()
    page = {"export": latest, "deletion": waiting.first()}
    return render(request, "storefront/account/data.html", page)


@never_cache
@login_required
@require_POST
def data_download(request: HttpRequest) -> HttpResponse:
    """Hand the copy out; afterwards it is gone."""
    customer, user = own_customer(request), user_of(request)
    ready = DataExport.objects.filter(customer=customer, state=DataExport.State.READY).first()
    try:
        if ready is None:
            raise data_requests.Gone
        content = data_requests.take(ready, user, at=clock.now())
    except data_requests.Gone:
        messages.error(request, _("This copy is gone. Please ask for a new one."))
        return redirect("storefront:data")
    headers = {
        "Content-Disposition": 'attachment; filename="data.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(content, content_type="application/zip", headers=headers)
