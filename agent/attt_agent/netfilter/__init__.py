"""What the packet filter of the Linux kernel does with incoming traffic, from its rules."""
