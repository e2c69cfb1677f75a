"""From a URL to keys and bytes, and back in one visible step.

`url` and `trust` are pure. `keys` speaks to fsspec and zarr; `transactions` makes many writes one. Nothing here
knows what the bytes mean.
"""
