"""The sheet "Open the shop": step by step from an empty database to the first sale."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from billing import emails, gateways, legal_texts, opening
from billing.admin.opening_forms import BrandStep, CompanyStep, DiallerStep, TopUpStep
from billing.gateways.base import Rehearsal
from billing.models import Brand, Mail, TopUpTerms, current_brand
from packages import clock
from packages.desk.door import demand_fresh_proof
from packages.desk.sheets import Sheet, register
from packages.models import Package
from packages.patterns import PATTERNS
from provisioning import servers, vault
from provisioning.admin.server_deeds import told
from provisioning.dialler.mapping import simulator_mapping
from provisioning.models import Pool, Server

if TYPE_CHECKING:
    Form = forms.ModelForm[Any]
else:
    Form = forms.ModelForm


@register
class Opening(Sheet):
    code = "opening"
    label = gettext_lazy("Open the shop")
    right = "billing.change_brand"
    template = "admin/opening.html"

    def takes_over(self, request: HttpRequest) -> bool:
        """Say whether staff are led here first: as long as there is no brand."""
        return request.user.has_perm(self.right) and not Brand.objects.exists()

    def answer(self, request: HttpRequest) -> HttpResponse:
        demand_fresh_proof(request)
        step = self._step(request)
        form = self._form(request, step)
        if request.method == "POST" and request.POST.get("step") == step:
            if "skip" in request.POST:
                opening.skip(_named(step), at=clock.now(), actor=f"staff:{request.user.pk}")
                return HttpResponseRedirect(self.url)
            if form is not None and form.is_valid():
                self._save(step, form)
                return self._on(request, step)
            if form is None:
                self._try(request, step)
                return HttpResponseRedirect(f"{self.url}?step={step}")
        request.opening = {"step": step, "form": form}  # type: ignore[attr-defined]
        return super().answer(request)

    def told(self, request: HttpRequest) -> dict[str, Any]:
        known = opening.steps()
        here = request.opening  # type: ignore[attr-defined]
        taking = [
            {
                "gateway": each,
                "url": opening.webhook_url(each),
                "enter_at": opening.ENTER_AT.get(gateways.kind_of(each.code), ""),
                "tested_at": opening.tested_at(each),
                "heard_at": opening.heard_at(each),
            }
            for each in gateways.offered()
        ]
        return {
            **here,
            "steps": known,
            "now": _named(here["step"]),
            "skipped": opening.was_skipped(),
            "done": sum(done for _step, done in known),
            "all_done": all(done for _step, done in known),
            "taking": taking if here["step"] == "gateway" else [],
            "pages": legal_texts.all_pages() if here["step"] == "legal" else [],
            "currencies": current_brand().currency_list if here["step"] == "credit" else [],
            "patterns": PATTERNS,
            "drafts": Package.objects.filter(draft=True),
            "mail": Mail.objects.filter(template="mail_test").first(),
        }

    def _step(self, request: HttpRequest) -> str:
        """Return the step that is asked for, else the first that is not done."""
        asked = request.POST.get("step") or request.GET.get("step") or ""
        if asked in {each.code for each in opening.STEPS} and Brand.objects.exists():
            return asked
        step = opening.next_step()
        return step.code if step else opening.STEPS[0].code

    def _form(self, request: HttpRequest, step: str) -> Form | None:
        data = request.POST if request.POST.get("step") == step else None
        if step == "brand":
            return BrandStep(data, instance=Brand.objects.first() or Brand(pk=1))
        if step == "company":
            return CompanyStep(data, instance=Brand.objects.get())
        if step == "dialler":
            return DiallerStep(data, instance=Server.objects.order_by("pk").first())
        if step == "credit":
            return TopUpStep(data, _currency(request))
        return None

    def _save(self, step: str, form: Form) -> None:
        if step == "dialler":
            _keep_server(form)
            return
        form.save()
        if step == "company":
            opening.load_rates()

    def _on(self, request: HttpRequest, step: str) -> HttpResponse:
        """Lead to the next step; a dialler that does not answer is told, and stays."""
        if step == "dialler":
            server = Server.objects.order_by("pk").first()
            assert server is not None
            if not servers.check(server, at=clock.now()):
                said = _("It is saved, but the server %(trouble)s.") % {"trouble": told(server)}
                messages.error(request, said)
                return HttpResponseRedirect(f"{self.url}?step={step}")
        messages.success(request, _("It is saved."))
        return HttpResponseRedirect(self.url)

    def _try(self, request: HttpRequest, step: str) -> None:
        at, actor = clock.now(), f"staff:{request.user.pk}"
        if step == "mail":
            to = request.user.email  # type: ignore[union-attr]
            emails.mail_test(to, language=get_language() or "en", at=at)
            messages.success(request, _("A mail to %(to)s is on its way.") % {"to": to})
        if step == "gateway":
            _test_gateway(request, request.POST.get("gateway", ""), actor)


def _named(code: str) -> opening.Step:
    return next(each for each in opening.STEPS if each.code == code)


def _currency(request: HttpRequest) -> str:
    """Return the currency that is asked for, else the first without limits for top-ups."""
    known = current_brand().currency_list
    asked = request.POST.get("currency") or request.GET.get("currency")
    if asked in known:
        return str(asked)
    limited = set(TopUpTerms.objects.values_list("currency", flat=True))
    return next((code for code in known if code not in limited), known[0])


def _test_gateway(request: HttpRequest, code: str, actor: str) -> None:
    gateway = next((each for each in gateways.offered() if each.code == code), None)
    if gateway is None:
        return
    troubles = opening.troubles_of(gateway, at=clock.now())
    for each in troubles:
        messages.error(request, str(each))
    if not troubles:
        opening.keep_tested(gateway, at=clock.now(), actor=actor)
        messages.success(request, _("Its key is accepted, and its webhook address answers."))
        if isinstance(gateway, Rehearsal):
            messages.success(request, _("A signed test event arrived and was stored."))


def _keep_server(form: Form) -> None:
    server: Server = form.save(commit=False)
    if form.cleaned_data["secret"]:
        server.secret_sealed = vault.seal(form.cleaned_data["secret"], purpose=servers.SECRET)
    if form.cleaned_data["simulator"]:
        server.mapping = simulator_mapping(server.profile).to_json()
    server.save()
    server.pools.add(Pool.objects.get(is_default=True))
