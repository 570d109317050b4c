"""Parts of pages in frames of other sites, and their description by oEmbed."""
