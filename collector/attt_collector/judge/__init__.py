"""Judgement: from stored facts to findings and counted figures."""
