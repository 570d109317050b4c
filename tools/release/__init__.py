"""Release artifacts: packages, bill of materials, third-party notices. Not part of a wheel."""
