"""Providers between their requests: who may still ask, suspensions, the end of a contract."""
