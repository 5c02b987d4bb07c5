"""What writes the decision log: signer, keys, emergency file, fail-safe store, anchors."""
