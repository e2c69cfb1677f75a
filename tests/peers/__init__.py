"""nwbzarr and hdmf-zarr on the same stores: each reads what the other writes."""
