"""SMPP 3.4 without sockets or clocks: octets and the time go in, events and octets come out."""
