"""The command ``nwbzarr``: what people type in a shell."""
