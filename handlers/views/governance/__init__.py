"""What stands between the decisions, on screen: agreements on the matrix, and reviews in campaigns."""
