"""The Django project that the soak runs against."""
