"""The django_bolt API framework on an engine written in C."""
