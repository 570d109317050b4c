"""Cluster tests: three PostgreSQL servers with Patroni and etcd, two trackers, and faults of machines
and networks."""
