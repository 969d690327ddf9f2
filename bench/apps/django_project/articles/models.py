"""Models over the tables of bench/dataset.py, which creates and fills them for every peer."""

from __future__ import annotations

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)
    email = models.EmailField()

    class Meta:
        managed = False
        db_table = "author"


class Article(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    slug = models.SlugField()
    words = models.IntegerField()
    rating = models.FloatField()
    published = models.BooleanField()
    created = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "article"


class Entry(models.Model):
    author = models.ForeignKey(Author, on_delete=models.CASCADE)
    text = models.TextField()

    class Meta:
        managed = False
        db_table = "entry"
