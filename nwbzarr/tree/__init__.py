"""All metadata of one store in one snapshot: parsed JSON, small chunks, and no zarr object."""
