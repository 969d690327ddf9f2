"""The Django project the Python tests run in."""
