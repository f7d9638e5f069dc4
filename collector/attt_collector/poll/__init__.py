"""Polling of network devices: credentials, SNMP, and what is made of the answers."""
