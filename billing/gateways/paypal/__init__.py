"""PayPal by its REST API, version 2 of orders and payments, with `requests`."""
