"""Clusters, scans of many repositories, and caches that machines share."""
