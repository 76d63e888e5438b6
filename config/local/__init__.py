"""Starts the product's own PostgreSQL and Valkey, and all its processes, on one machine."""
