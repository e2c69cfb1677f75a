"""Writes: what they cost in requests, and what is left when they are cut off, raced, refused or misused."""
