"""The film of the card in the documentation."""
