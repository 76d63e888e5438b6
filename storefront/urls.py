"""Every address a customer sees."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.csrf import csrf_exempt

from storefront.views import (
    account,
    auto_top_ups,
    balance,
    cancellation,
    cart,
    catalogue,
    checkout,
    declarations,
    demo,
    exchange,
    methods,
    payment,
    secrets,
    site,
    top_ups,
)

app_name = "storefront"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", catalogue.home, name="home"),
    path("packages/", catalogue.packages, name="packages"),
    path("packages/<slug:slug>/", catalogue.package, name="package"),
    path("cart/", cart.cart, name="cart"),
    path("cart/lines/", cart.cart_add, name="cart_add"),
    path("cart/removals/", cart.cart_remove, name="cart_remove"),
    path("cart/quantities/", cart.cart_change, name="cart_change"),
    path("cart/coupon/", cart.cart_coupon, name="cart_coupon"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/<uuid:public_id>/", payment.order, name="order"),
    path("orders/<uuid:public_id>/status/", payment.order_status, name="order_status"),
    path("invoices/<uuid:public_id>/payment/", payment.pay, name="pay"),
    path("payments/<uuid:public_id>/", payment.payment, name="payment"),
    path("account/", account.dashboard, name="dashboard"),
    path("account/services/", account.services, name="services"),
    path("account/services/<uuid:public_id>/", account.service, name="service"),
    path(
        "account/services/<uuid:public_id>/cancellation/",
        cancellation.service_cancel,
        name="service_cancel",
    ),
    path(
        "account/services/<uuid:public_id>/cancellation/withdrawal/",
        cancellation.service_withdraw,
        name="service_withdraw",
    ),
    path(
        "account/services/<uuid:public_id>/end/",
        cancellation.service_end,
        name="service_end",
    ),
    path(
        "account/services/<uuid:public_id>/top-up/",
        top_ups.top_up,
        name="top_up",
    ),
    path(
        "account/services/<uuid:public_id>/top-up/automatic/",
        auto_top_ups.auto_top_up,
        name="auto_top_up",
    ),
    path(
        "account/services/<uuid:public_id>/exchange/",
        exchange.service_exchange,
        name="service_exchange",
    ),
    path(
        "account/services/<uuid:public_id>/exchange/withdrawal/",
        exchange.service_exchange_withdraw,
        name="service_exchange_withdraw",
    ),
    path(
        "account/services/<uuid:public_id>/return/",
        exchange.service_return,
        name="service_return",
    ),
    path("account/invoices/", account.invoices, name="invoices"),
    path("account/invoices/payment/", payment.pay_together, name="pay_together"),
    path("account/invoices/<uuid:public_id>/", account.invoice, name="invoice"),
    path("account/invoices/<uuid:public_id>/pdf/", account.invoice_pdf, name="invoice_pdf"),
    path("account/invoices/<uuid:public_id>/xml/", account.invoice_xml, name="invoice_xml"),
    path("account/balance/", balance.balance, name="balance"),
    path("account/methods/", methods.methods, name="methods"),
    path("account/methods/new/", methods.method_new, name="method_new"),
    path("account/methods/back/", methods.method_back, name="method_back"),
    path("account/methods/automatic/", methods.automatic, name="automatic"),
    path(
        "account/methods/<uuid:public_id>/default/", methods.method_default, name="method_default"
    ),
    path("account/methods/<uuid:public_id>/removal/", methods.method_remove, name="method_remove"),
    path("account/profile/", account.profile, name="profile"),
    path("login-details/<str:token>/", secrets.secret, name="secret"),
    path("cancellation/", declarations.cancel_contract, name="cancel_contract"),
    path("withdrawal/", declarations.withdraw_contract, name="withdraw_contract"),
    path("declarations/<uuid:public_id>/", declarations.declared, name="declared"),
    path("theme/", csrf_exempt(site.theme), name="theme"),
    path("currency/", csrf_exempt(site.currency), name="currency"),
    path("brand.css", site.brand_css, name="brand_css"),
    path("legal/<slug:page>/", site.legal, name="legal"),
    path("api/", include("storefront.api.urls")),
    path("demo/mailbox/", demo.mailbox, name="mailbox"),
    path("demo/mailbox/<int:mail_id>/", demo.mailbox_mail, name="mailbox_mail"),
]
