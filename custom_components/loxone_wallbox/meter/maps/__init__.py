"""The register maps, a file a maker. A new meter is one more entry and its vector."""
