"""smsgw: an SMS gateway for a utility's self-service shortcode."""

__version__ = "0.1.0"
