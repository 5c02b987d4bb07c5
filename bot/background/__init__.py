"""The loops of a running bot."""
