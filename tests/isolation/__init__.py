"""`make prove-isolation`: everyone tries everything in the catalog; the matrix is in docs/security.md."""
