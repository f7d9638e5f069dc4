"""What machines talk to: one module a resource, each with its `routes`; app.py joins them."""
