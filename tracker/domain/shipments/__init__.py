"""The rules for one shipment: its description, the conditions of clauses, verdicts and duties. Pure."""
