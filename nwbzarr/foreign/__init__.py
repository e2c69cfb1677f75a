"""Sessions in other formats, as stores of our form: what they hold becomes documents, links and chunks, and is only read.

HDF5 files are indexed: their documents are made once, their chunks stay where they are. This room refuses to write, and
to know containers.
"""
