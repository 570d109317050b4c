"""Tests of the clients below `deploy/clients`."""
