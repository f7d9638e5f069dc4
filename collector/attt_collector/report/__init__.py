"""The report: template + counted figures -> sentences -> Word, PDF, HTML, text."""
