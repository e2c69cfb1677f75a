"""What the stored JSON and bytes mean: the public Zarr v3 convention for NWB, and nothing else.

Pure: no zarr, no fsspec, no I/O. One module per kind of text or bytes; each both writes and parses its own.
"""
