"""The containers people touch.

A container *is* its stored form, held in memory: attributes and named members (groups, datasets, links). The fields
that NWB gives a type (`TimeSeries.rate`, `NWBFile.subject`) are views into that form, placed by the schema's facts.
So reading wraps a tree without translating it, a type without a class of its own loses nothing, and writing walks
members. Nothing here reads or writes: what is stored comes through the `Loader` protocol.
"""
