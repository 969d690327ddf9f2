"""The code of the user guide, word for word: one module, and one path prefix, for each of its sections.

The guide's own lines are never reformatted (tests/python/guide compares them); what it leaves out is around them.
"""
