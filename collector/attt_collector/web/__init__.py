"""The pages people look at: one module a page, each with its `router`; app.py joins them.

Nothing here judges or counts: `assessed` keeps the one judgement behind all pages, `access` says
who may see which part of it, and a page puts that part into words.
"""
