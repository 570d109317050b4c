"""Descriptions of the data for catalogues, search engines and browsers, made of the registries."""
