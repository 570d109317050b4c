"""What a release is made of: packages, list of parts, notices of others. Not part of a wheel."""
