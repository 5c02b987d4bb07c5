"""Governance views: agreements on the matrix, and reviews in campaigns."""
