"""What the API says. Amounts are integers of minor units, instants are UTC."""

from typing import Any

from rest_framework import serializers


class PriceSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    cycle = serializers.CharField()
    amount_minor = serializers.IntegerField()
    setup_minor = serializers.IntegerField()
    credit_minor = serializers.IntegerField()


class PackageSerializer(serializers.Serializer[Any]):
    slug = serializers.SlugField()
    kind = serializers.CharField()
    group = serializers.CharField(source="group.slug")
    name = serializers.SerializerMethodField()
    promise = serializers.SerializerMethodField()
    channels = serializers.IntegerField()
    services = serializers.ListField(child=serializers.CharField())
    units = serializers.DictField(child=serializers.IntegerField())
    trial_days = serializers.IntegerField()
    prices = PriceSerializer(many=True, source="now")

    def get_name(self, package: Any) -> str:
        return str(package.text("name"))

    def get_promise(self, package: Any) -> str:
        return str(package.text("promise"))


class CatalogueSerializer(serializers.Serializer[Any]):
    """`prices_include_tax` says whether amounts are gross at the seller's home rate."""

    prices_include_tax = serializers.BooleanField()
    packages = PackageSerializer(many=True)


class OrderSerializer(serializers.Serializer[Any]):
    """`stage` is what the order's page tells: confirming, declined, setting_up, ready …"""

    id = serializers.UUIDField(source="order.public_id")
    state = serializers.CharField(source="order.state")
    stage = serializers.CharField()
    placed_at = serializers.DateTimeField(source="order.placed_at")
    invoice_number = serializers.CharField(source="invoice.number")
    currency = serializers.CharField(source="invoice.currency")
    total_minor = serializers.IntegerField(source="invoice.total_minor")
    due_minor = serializers.IntegerField(source="invoice.due.minor")
