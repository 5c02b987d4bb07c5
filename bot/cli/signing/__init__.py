"""Commands about the page where decisions are signed."""
