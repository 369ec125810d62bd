"""Eventual consistency: what EC2 describes lags behind what it has done."""
