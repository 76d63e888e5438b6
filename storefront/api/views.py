"""The API's reading views: the catalogue for everybody, an order for its own customer."""

import uuid

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import current_brand
from packages.models import Package, Price
from storefront.api.serializers import CatalogueSerializer, OrderSerializer
from storefront.owned import owned_order
from storefront.progress import progress_of


@extend_schema(operation_id="packages", responses=CatalogueSerializer)
@api_view(["GET"])
@permission_classes([AllowAny])
def packages(request: Request) -> Response:
    """List what is on sale with all prices, in the language of `Accept-Language`."""
    prices = Prefetch("prices", queryset=Price.objects.filter(archived=False), to_attr="now")
    on_sale = Package.objects.filter(visible=True, archived=False).select_related("group")
    catalogue = {
        "prices_include_tax": current_brand().prices_include_tax,
        "packages": on_sale.prefetch_related(prices).order_by("group__position", "position", "id"),
    }
    return Response(CatalogueSerializer(catalogue).data)


@extend_schema(operation_id="order", responses=OrderSerializer)
@api_view(["GET"])
def order(request: Request, public_id: uuid.UUID) -> Response:
    """Say where an own order stands; 404 for anybody else's."""
    progress = progress_of(owned_order(request._request, public_id))
    return Response(OrderSerializer(progress).data)
