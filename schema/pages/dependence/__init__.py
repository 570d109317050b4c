"""Pages of dependence: the imports of a place, their origins, and the export controls of these."""
