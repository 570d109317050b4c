"""What all pages share: their addresses, how they are answered, and what stands on each of them."""
