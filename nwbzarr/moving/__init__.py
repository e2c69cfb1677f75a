"""Sets of stores that link to each other: looked at, moved, and made independent.

Everything is planned as data and carried out like any other write. This room refuses to change what a session means.
"""
