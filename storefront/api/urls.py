"""The API's addresses. No page of docs: its viewers need inline styles, which we forbid."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from storefront.api import views

urlpatterns = [
    path("packages/", views.packages, name="api_packages"),
    path("orders/<uuid:public_id>/", views.order, name="api_order"),
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
]
