"""NWB's types as data: which fields a type has, where each is stored, and what it may hold."""
