"""Made-up data for trying the product: its own database, marked in every snapshot and page."""
