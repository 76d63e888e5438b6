"""The product in one command: a customer's road through a running shop, over HTTP alone."""
