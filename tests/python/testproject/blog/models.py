"""Models for the tests: people with groups and a profile, posts that belong to them, and one of every field type."""

from __future__ import annotations

from django.db import models


class Team(models.Model):
    name = models.CharField(max_length=50)


class Person(models.Model):
    username = models.CharField(max_length=50, unique=True)
    email = models.EmailField()
    is_active = models.BooleanField(default=True)
    age = models.IntegerField(null=True)
    password = models.CharField(max_length=128, default="secret")
    teams = models.ManyToManyField(Team, related_name="members")

    @property
    def shout(self) -> str:
        return self.username.upper()


class Profile(models.Model):
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="profile")
    bio = models.TextField()


class Post(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="posts")
    editor = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, related_name="edited")


class EveryField(models.Model):
    """One column of every built-in type."""

    big = models.BigIntegerField()
    flag = models.BooleanField()
    text = models.TextField()
    date = models.DateField()
    moment = models.DateTimeField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    lasting = models.DurationField()
    path = models.FileField(upload_to="files")
    number = models.FloatField()
    address = models.GenericIPAddressField()
    data = models.JSONField()
    time = models.TimeField()
    key = models.UUIDField()
    octets = models.BinaryField()
    slug = models.SlugField(null=True)
