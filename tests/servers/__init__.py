"""Real servers on loopback for the tests: S3 (Ceph or moto), plain HTTP, and a fault proxy."""
